import { escapeLine, listText, truncateMrkdwn } from '../../src/lib/text/text.ts'
import type { Evidence } from '../../src/plan/plan.ts'
import { context, section } from '../../src/slack/blocks/blocks.ts'
import { preformattedPieces } from '../../src/slack/limits/pieces.ts'
import { sizeOf } from '../../src/slack/limits/size.ts'
import type { Block } from '../../src/slack/port.ts'
import type { Finding } from '../../src/sql/weigh/finding.ts'
import { whereText } from './findings.ts'

/** Of the size and of the number of blocks that a window takes. */
const BUDGET = 24_000
const MOST_BLOCKS = 45

/** The safe way for each finding, with SQL that can be copied; the same advice for several statements is said once. What does not fit is counted. */
export function adviceBlocks(evidence: Evidence | null): readonly Block[] {
  const blocks: Block[] = []
  let left = 0
  for (const { said, sql } of advised(evidence)) {
    const room = { budget: BUDGET - sizeOf([...blocks, section(said)]), most: MOST_BLOCKS - blocks.length - 1 }
    const pieces = preformattedPieces(sql, room)
    if (left > 0 || room.budget <= 0 || room.most <= 0 || pieces.rest !== '') left++
    else blocks.push(section(said), ...pieces.blocks)
  }
  return [...blocks, ...(left === 0 ? [] : [context(`The safe way for ${left} more stands beside the SQL in the thread`)])]
}

/** The same as text: what to do, and the files one after another. */
export function advised(evidence: Evidence | null): readonly { readonly said: string; readonly sql: string }[] {
  const open = (evidence?.findings ?? []).filter(({ weight, advice, waived }) => weight !== 'note' && advice !== null && waived === null)
  return [...Map.groupBy(open, ({ advice }) => advice?.text ?? '')].map(([text, its]) => ({
    said: truncateMrkdwn(`*Instead of ${wheres(its)}.* ${escapeLine(text)}.`, 1_500),
    sql: [...new Set(its.map(filesOf))].filter((files) => files !== '').join('\n'),
  }))
}

function wheres(its: readonly Finding[]): string {
  const distinct = [...new Set(its.map(whereText))]
  return distinct.length <= 3 ? listText(distinct) : listText([...distinct.slice(0, 3), `${distinct.length - 3} more`])
}

/** One migration after another, each with a name that may be its own. */
export function filesOf({ advice }: Finding): string {
  const files = advice?.files ?? []
  return files
    .map(({ name, sql }, at) => `-- ${files.length === 1 ? 'a migration' : `migration ${at + 1} of ${files.length}`}: ${name}\n${sql}`)
    .join('\n')
}
