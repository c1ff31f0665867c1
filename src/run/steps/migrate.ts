import type { Inspection, RunContext, Step, StepEnd } from '../../request/step.ts'
import type { Ahead } from '../../migrate/ahead.ts'
import { applyAll, inspectMigrations } from '../../migrate/apply.ts'
import { applyRunner, inspectRunner } from '../../migrate/prisma8/apply.ts'
import { isOfRunner } from '../../plan/prisma8/compare.ts'
import { defaultTiming, type Timing } from '../../migrate/attempts/timing.ts'

/** Applies the approved migrations with the application's own tool. Nothing here is ever blindly repeated. */
export const migrateStep = (timing: Partial<Timing> = {}, ahead: Pick<Ahead, 'take'> = notAsked): Step => {
  const timingOf = ({ target: { guard } }: RunContext): Timing => ({
    ...defaultTiming,
    tries: guard.pauses.length + 1,
    pausesMs: guard.pauses,
    ...timing,
  })
  return {
    name: 'migrate',
    title: 'Migrate',
    changes: 'database',
    inspect: async (context): Promise<Inspection> => {
      if (context.plan.list.length === 0) return nothingToApply
      return isOfRunner(context.plan)
        ? inspectRunner(context, context.plan, timingOf(context))
        : inspectMigrations(context, timingOf(context))
    },
    act: (context): Promise<StepEnd> =>
      isOfRunner(context.plan) ? applyRunner(context, context.plan, timingOf(context)) : applyAll(context, timingOf(context), ahead),
  }
}

const notAsked: Pick<Ahead, 'take'> = { take: () => null }

const nothingToApply: Inspection = {
  kind: 'done',
  output: 'nothing to apply, the database is unchanged',
  data: { migrations: [] },
}
