import type { Expected } from '../../config/keys/assertions.ts'
import { code } from '../../lib/text/code.ts'
import { escapeMarkup } from '../../lib/text/escape.ts'
import { count } from '../../lib/text/sentences.ts'
import { isAppFirst } from '../../plan/rules/by-class.ts'
import { migrationsSentence } from '../order.ts'
import type { RunOutcome } from '../../request/request.ts'
import type { RunContext } from '../../request/step.ts'
import { difference, MOST_ROWS, saysExpected, saysRows, tableOf, type Result, type Seen } from '../../watching/assertions.ts'

/** Why an assertion does not hold. */
export type Failure =
  | { readonly kind: 'not-asked'; readonly name: string; readonly why: string }
  | { readonly kind: 'unexpected'; readonly name: string; readonly expect: Expected; readonly result: Result; readonly seen: Seen }
  /** Too many rows to compare with later. */
  | { readonly kind: 'too-many'; readonly name: string; readonly seen: Seen }
  | { readonly kind: 'changed'; readonly name: string; readonly before: Seen; readonly result: Result; readonly seen: Seen }

type About = Pick<RunContext, 'command' | 'target' | 'plan'>

/** What is known, and what can be done: before the migrations nothing was touched, after them they are applied. */
export function failedOutcome(context: About, at: 'before' | 'after', failures: readonly Failure[], of: number): RunOutcome {
  const [first] = failures
  const what =
    failures.length === 1 && first !== undefined
      ? `"${escapeMarkup(first.name)}" ${first.kind === 'not-asked' ? 'could not be asked' : 'does not hold'}`
      : `${failures.length} of ${count(of, 'assertion')} do not hold`
  const excerpt = failures.flatMap(excerptOf).join('\n\n')
  return {
    headline:
      at === 'before'
        ? `*${what} before the migrations.* Nothing was touched: no migration ran, and the application was not changed.`
        : `*${what} after the migrations.* ${applied(context)}`,
    why: failures.map((failure) => `${failures.length === 1 ? '' : `"${escapeMarkup(failure.name)}": `}${whyOf(failure)}`).join('\n'),
    next: at === 'before' ? nextBefore(context) : nextAfter(context),
    ...(excerpt === '' ? {} : { excerpt }),
  }
}

export const cancelledOutcome = (context: About, at: 'before' | 'after'): RunOutcome => ({
  headline:
    at === 'before'
      ? '*Cancelled while the assertions before the migrations were asked.* Nothing was touched.'
      : `*Cancelled while the assertions after the migrations were asked.* ${applied(context)}`,
})

function whyOf(failure: Failure): string {
  switch (failure.kind) {
    case 'not-asked':
      return failure.why
    case 'too-many':
      return `It gives more than ${MOST_ROWS} rows, which are too many to compare with afterwards. Let it count them, or give a sum.`
    case 'unexpected':
      return `Expected ${code(saysExpected(failure.expect))}, and it gave ${code(saysSeen(failure))}.`
    case 'changed': {
      const gave = `Before the migrations it gave ${code(saysSeen({ seen: failure.before }))}, and now ${code(saysSeen(failure))}.`
      return `${gave} What the application has written in between counts as well.`
    }
  }
}

const saysSeen = ({ seen, result }: { readonly seen: Seen; readonly result?: Result }): string =>
  saysRows(
    seen.rows.map(({ cells }) => cells),
    result?.hasMore,
  )

function excerptOf(failure: Failure): readonly string[] {
  const titled = (title: string, seen: Seen) => (seen.rows.length === 0 ? [] : [`${title}\n${tableOf(seen)}`])
  switch (failure.kind) {
    case 'not-asked':
    case 'too-many':
      return []
    case 'unexpected':
      return titled(failure.name, failure.seen)
    case 'changed': {
      const { gone, came } = difference(failure.before, failure.seen)
      return [...titled(`${failure.name}: only before`, gone), ...titled(`${failure.name}: only now`, came)]
    }
  }
}

const applied = ({ plan }: About): string => migrationsSentence(plan, false)

const nextBefore = ({ command, target }: About): string =>
  `Put the data right, or correct \`assert\` in lockkeeper.yaml, and ask again with \`${command} deploy ${target.name}\`.`

function nextAfter({ command, target, plan }: About): string {
  const deploys = plan.steps.some(({ phase }) => phase === 'deploy')
  const isFirst = isAppFirst(plan)
  const whatRuns = isFirst
    ? 'The deploy steps had run before the migrations, so the new application is live.'
    : 'The deploy steps were not started, so the application that was live runs on the new schema.'
  const undo = plan.list.filter(({ rollbackSha256 }) => rollbackSha256 !== null).length
  const back =
    undo === 0
      ? 'going back means the backup'
      : `to go back there is rollback SQL beside ${undo === plan.list.length ? 'each of them' : `${undo} of them`}, and the backup`
  return [
    ...(deploys ? [whatRuns] : []),
    `Look at the rows. If the data is right, correct \`assert\` in lockkeeper.yaml; \`${command} deploy ${target.name}\` then finds nothing pending${deploys && !isFirst ? ' and runs only the steps' : ''}.`,
    `If it is wrong, put it right with a new migration; ${back}.`,
  ].join(' ')
}
