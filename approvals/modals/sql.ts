import { limits } from '../../src/slack/limits/shapes.ts'
import { context, header, modal, section } from '../../src/slack/blocks/blocks.ts'
import { preformattedPieces } from '../../src/slack/limits/pieces.ts'
import { sizeOf } from '../../src/slack/limits/size.ts'
import type { Block, View } from '../../src/slack/port.ts'
import type { RequestRow } from '../../src/request/request.ts'
import { bytesText } from '../../src/lib/text/text.ts'
import { adviceBlocks } from '../cards/advice.ts'
import { code } from '../wording.ts'

/** What would run, in a window of its own, after the safe way for what is dangerous in it. What does not fit is counted and never cut out of the middle. */
export function sqlModal(
  { id, digest, plan, evidence }: Pick<RequestRow, 'id' | 'digest' | 'plan' | 'evidence'>,
  files: readonly { readonly name: string; readonly sql: string }[],
): View {
  const advice = adviceBlocks(evidence)
  const { blocks, missing } = filesBlocks(files, { budget: BUDGET - sizeOf(advice), most: MOST_BLOCKS - advice.length })
  return modal({
    callback: 'told',
    title: `SQL of #${id}`,
    close: 'Close',
    blocks: [
      context(`Plan ${code((digest ?? '').slice(0, 8))}, commit ${code((plan?.commit ?? '').slice(0, 7))}`),
      ...advice,
      ...(files.length === 0 ? [section('No migration is pending, so there is no SQL.')] : blocks),
      ...(missing === 0 ? [] : [context(`and ${bytesText(missing)} more; the whole of it stands in the thread of the card`)]),
    ],
  })
}

/** Room for the two lines around it. */
const BUDGET = limits.viewBudget - 2_000
const MOST_BLOCKS = limits.viewBlocks - 2

function filesBlocks(
  files: readonly { readonly name: string; readonly sql: string }[],
  space: { readonly budget: number; readonly most: number },
) {
  const blocks: Block[] = []
  let missing = 0
  for (const { name, sql } of files) {
    const heading = header(name)
    const room = { budget: space.budget - sizeOf([...blocks, heading]), most: missing === 0 ? space.most - blocks.length - 1 : 0 }
    const pieces = preformattedPieces(sql === '' ? '-- empty' : sql, room)
    if (pieces.blocks.length > 0) blocks.push(heading, ...pieces.blocks)
    missing += Buffer.byteLength(pieces.rest)
  }
  return { blocks, missing }
}
