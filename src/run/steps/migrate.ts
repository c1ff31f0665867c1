import type { Inspection, RunContext, Step, StepEnd } from '../../request/step.ts'
import { guardDefaults } from '../../config/keys/guard.ts'
import type { Ahead } from '../../migrate/ahead.ts'
import { applyAll, inspectMigrations } from '../../migrate/apply.ts'
import { applyRunner, inspectRunner } from '../../migrate/prisma8/apply.ts'
import { isOfRunner } from '../../plan/prisma8/compare.ts'
import { withOrder } from '../order.ts'
import { defaultTiming, type Timing } from '../../migrate/attempts/timing.ts'

/** Applies the approved migrations with the application's own tool. Nothing here is ever blindly repeated. */
export const migrateStep = (timing: Partial<Timing> = {}, ahead: Pick<Ahead, 'take'> = notAsked): Step => {
  const timingOf = ({ target: { guard } }: RunContext): Timing => {
    const { pauses } = guard ?? guardDefaults
    return { ...defaultTiming, tries: pauses.length + 1, pausesMs: pauses, ...timing }
  }
  return {
    name: 'migrate',
    title: 'Migrate',
    changes: 'database',
    inspect: async (context): Promise<Inspection> => {
      if (context.plan.list.length === 0) return nothingToApply
      const found = isOfRunner(context.plan)
        ? inspectRunner(context, context.plan, timingOf(context))
        : inspectMigrations(context, timingOf(context))
      return withOrder(context.plan, await found)
    },
    act: async (context): Promise<StepEnd> =>
      withOrder(
        context.plan,
        await (isOfRunner(context.plan)
          ? applyRunner(context, context.plan, timingOf(context))
          : applyAll(context, timingOf(context), ahead)),
      ),
  }
}

const notAsked: Pick<Ahead, 'take'> = { take: () => null }

const nothingToApply: Inspection = {
  kind: 'done',
  output: 'nothing to apply, the database is unchanged',
  data: { migrations: [] },
}
