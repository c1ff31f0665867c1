import { context, section } from '../../src/slack/blocks/blocks.ts'
import { preformattedPieces } from '../../src/slack/limits/pieces.ts'
import { sizeOf } from '../../src/slack/limits/size.ts'
import type { Block } from '../../src/slack/port.ts'
import { escapeLine } from '../../src/lib/text/text.ts'
import type { Plan } from '../../src/plan/plan.ts'
import { assertionsOf, saysExpected } from '../../src/watching/assertions.ts'
import type { AssertionSettings } from '../../src/config/keys/assertions.ts'
import { code } from '../wording.ts'

const BUDGET = 12_000

/** Each assertion with the SQL that is asked, for whoever approves. What does not fit is counted. */
export function assertionBlocks(plan: Plan | null): readonly Block[] {
  const all = plan === null ? [] : assertionsOf(plan)
  if (all.length === 0) return []
  const blocks: Block[] = [section('*What has to be true of the data*')]
  for (const [at, assertion] of all.entries()) {
    const title = section(`*${escapeLine(assertion.name)}*: ${meaning(assertion)}`)
    const { blocks: sql, rest } = preformattedPieces(assertion.sql.trim(), { budget: BUDGET - sizeOf([...blocks, title]) })
    if (rest !== '') return [...blocks, context(`and ${all.length - at} more, in ${code('assert')} of lockkeeper.yaml`)]
    blocks.push(title, ...sql)
  }
  return blocks
}

function meaning({ when, expect }: AssertionSettings): string {
  if (expect === undefined) return 'the same rows before and after the migrations'
  const time = { before: 'before the migrations', after: 'after the migrations', both: 'before and after the migrations' }[when]
  return `${code(saysExpected(expect))} ${time}`
}
