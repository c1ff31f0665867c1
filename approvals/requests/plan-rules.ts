import type { Target } from '../../src/config/config.ts'
import { escapeMarkup } from '../../src/lib/text/escape.ts'
import { refuse, type Refusal } from '../../src/lib/refusal.ts'
import { listed } from '../../src/lib/text/quoted.ts'
import type { Evidence, Plan } from '../../src/plan/plan.ts'
import { classOf, rulesForClass } from '../../src/plan/rules/by-class.ts'
import { readQuery } from '../../src/watching/query.ts'
import { whyNotAfter, type AfterDeps } from './after.ts'
import { code, shown } from '../wording.ts'

/** What the target's own rules have against a plan, whoever would approve it. */
export async function whyNotPlanned(deps: AfterDeps, target: Target, made: Made): Promise<Refusal | undefined> {
  return (await whyNotAsked(target)) ?? whyNoWayBack(target, made) ?? whyNotAfter(deps, target, made.plan)
}

type Made = { readonly plan: Pick<Plan, 'list' | 'tool' | 'prisma8'>; readonly evidence: Pick<Evidence, 'migrations'> }

/** "All migrations must be reversible", for plans of a class. */
function whyNoWayBack(target: Target, { plan, evidence }: Made): Refusal | undefined {
  const of = classOf(evidence.migrations.map((one) => one.class))
  const without = plan.list.filter(({ rollbackSha256 }) => rollbackSha256 === null).map(({ name }) => name)
  if (without.length === 0 || rulesForClass(target, of).rollback !== 'required') return undefined
  const rule = `${code(target.name)} takes no plan that is ${of} without rollback SQL (${code(`classes.${of}.rollback`)})`
  const other = plan.prisma8 !== undefined ? 'Prisma 8' : plan.tool?.kind === 'command' ? shown(plan.tool.name) : null
  if (other !== null)
    return refuse(
      'against_policy',
      `${rule}, and Lockkeeper reads none of ${other}. Nothing was started. Take the rule out for this target.`,
    )
  const file = plan.tool === undefined ? `a ${code('rollback.sql')}` : `a file ${code('.down.sql')}`
  return refuse(
    'against_policy',
    `${rule}, and ${listed(without)} ${without.length === 1 ? 'has' : 'have'} none. Nothing was started. Put ${file} beside ${without.length === 1 ? 'it' : 'each'}, commit that, and ask again.`,
  )
}

/** An assertion that would write, or that nobody can read, is told before anybody approves it. */
async function whyNotAsked(target: Target): Promise<Refusal | undefined> {
  for (const { name, sql } of target.assert ?? []) {
    const query = await readQuery(sql)
    if (query.kind === 'unfit')
      return refuse(
        'target_unfit',
        `The assertion “${shown(name)}” of ${code(target.name)} cannot be asked: ${escapeMarkup(query.why)}. Nothing was started. Correct it under \`assert\` in lockkeeper.yaml and ask again.`,
      )
  }
  return undefined
}
