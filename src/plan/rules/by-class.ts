import type { TargetSettings } from '../../config/schema.ts'
import type { ClassRules, PlanClass } from '../../config/keys/classes.ts'
import type { MigrationClass } from '../../sql/effects/effect.ts'
import { digestOf } from '../digest.ts'
import type { Evidence, Plan, PlannedStep } from '../plan.ts'

/** What the class of a plan decides about its run. Pure. */

/** That of its heaviest migration. What nobody could read counts as breaking, and a plan without migrations as additive. */
export function classOf(classes: readonly MigrationClass[]): PlanClass {
  if (classes.some((one) => one === 'breaking' || one === 'unclear')) return 'breaking'
  return classes.includes('transformative') ? 'transformative' : 'additive'
}

/** What the target says about plans of this class. */
export const rulesForClass = ({ classes }: Pick<TargetSettings, 'classes'>, of: PlanClass): ClassRules => classes?.[of] ?? {}

/** The plan with the rules of its class in it, and without the steps that they leave out: a digest of its own. */
export function withClassRules<
  Made extends { readonly plan: Plan; readonly digest: string; readonly evidence: Pick<Evidence, 'migrations'> },
>(made: Made, target: Pick<TargetSettings, 'classes' | 'order'>): Made {
  const rules = runRules(
    target,
    made.evidence.migrations.map((one) => one.class),
  )
  if (rules === undefined) return made
  const plan = { ...made.plan, rules, steps: stepsUnder(made.plan.steps, rules) }
  return { ...made, plan, digest: digestOf(plan) }
}

/** Undefined where nothing differs by class, so that digests are what they always were. */
function runRules(target: Pick<TargetSettings, 'classes' | 'order'>, classes: readonly MigrationClass[]): Plan['rules'] {
  if (target.classes === undefined && target.order === 'migrate-first') return undefined
  const of = classOf(classes)
  const { order = target.order, maintenance = 'on' } = rulesForClass(target, of)
  return { class: of, order, maintenance }
}

/** The configured steps without those that the rules of a plan leave out. */
export const stepsUnder = (steps: readonly PlannedStep[], rules: Plan['rules']): readonly PlannedStep[] =>
  rules?.maintenance === 'off' ? steps.filter(({ phase }) => !phase.startsWith('maintenance-')) : steps

/** Whether the deploy steps come before the migrations. */
export const isAppFirst = ({ rules }: Pick<Plan, 'rules'>): boolean => rules?.order === 'app-first'
