import type { Target } from '../../src/config/config.ts'
import { escapeMarkup } from '../../src/lib/text/escape.ts'
import { refuse, type Refusal } from '../../src/lib/refusal.ts'
import { readQuery } from '../../src/watching/query.ts'
import { code, shown } from '../wording.ts'

/** What the target's own rules have against a plan, whoever would approve it. */
export async function whyNotPlanned(target: Target): Promise<Refusal | undefined> {
  return whyNotAsked(target)
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
