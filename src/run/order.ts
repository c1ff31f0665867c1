import type { Plan } from '../plan/plan.ts'
import { APPLICATION } from '../migrate/decide/outcomes.ts'
import type { Inspection, StepEnd } from '../request/step.ts'
import { isAppFirst } from '../plan/rules/by-class.ts'

/** How sentences about the application speak of the migrations, which come before it or after it. */

type Planned = Pick<Plan, 'list' | 'rules'>

/** `isOpen`: they have not been started. */
export function migrationsSentence({ list, ...plan }: Planned, isOpen = isAppFirst(plan)): string {
  if (list.length === 0) return 'The database was not changed.'
  const one = list.length === 1
  const what = one ? 'The migration of this run' : `The ${list.length} migrations of this run`
  return isOpen ? `${what} ${one ? 'was' : 'were'} not started.` : `${what} ${one ? 'is' : 'are'} applied.`
}

/** What asking again does once the application is mended: `runs the steps again`. */
export function againPhrase({ list, ...plan }: Planned, isOpen = isAppFirst(plan)): string {
  if (list.length === 0) return 'runs the steps again'
  return isOpen ? 'runs the steps again, and then the migrations' : 'finds nothing pending and runs only the steps'
}

/** What the migrations say of the application when they end otherwise than they should: where it came first it was not left as it was. */
export function withOrder<End extends Inspection | StepEnd>(plan: Pick<Plan, 'rules' | 'steps'>, end: End): End {
  if (!isAppFirst(plan) || !('outcome' in end) || !plan.steps.some(({ phase }) => phase === 'deploy')) return end
  return { ...end, outcome: { ...end.outcome, headline: end.outcome.headline.replace(APPLICATION, NEW_IS_LIVE) } }
}

const NEW_IS_LIVE = 'The new application was deployed before and runs on the schema as it is now.'
