import { sizeOf } from './size.ts'
import type { Block } from '../port.ts'
import { preformatted } from '../blocks/blocks.ts'

/** Slack takes 3,000 characters of a block; whole lines are cut well below. */
const PIECE = 2_500
/** Below this a cut inside of a line is better than an empty piece. */
const LEAST = 200

type Room = { readonly budget: number; readonly most?: number }
export type Pieces = { readonly blocks: readonly Block[]; readonly rest: string }

/**
 * A long text as blocks whose texts joined are its beginning, character by character, and what does not fit: into `budget`, which is the size
 * of the blocks as they are sent, or into `most` blocks. Nothing is taken out, so that whoever approves reads what runs.
 */
export function preformattedPieces(text: string, { budget, most = Number.POSITIVE_INFINITY }: Room): Pieces {
  const blocks: Block[] = []
  let left = budget
  let rest = text
  while (rest !== '' && blocks.length < most) {
    const piece = fitting(rest, left)
    if (piece === '') break
    blocks.push(preformatted(piece))
    left -= costOf(piece)
    rest = rest.slice(piece.length)
  }
  return { blocks, rest }
}

const costOf = (piece: string): number => sizeOf([preformatted(piece)])

/** The longest beginning that a block takes and the budget allows; quotation marks and line ends count twice. */
function fitting(text: string, budget: number): string {
  for (let limit = PIECE; limit >= LEAST; limit = Math.floor(limit * 0.8)) {
    const piece = beginning(text, limit)
    if (costOf(piece) <= budget) return piece
  }
  return ''
}

/** At most `limit` UTF-16 units: whole lines where the last one ends late enough, and always whole characters. */
export function beginning(text: string, limit: number): string {
  if (text.length <= limit) return text
  const line = text.lastIndexOf('\n', limit - 1) + 1
  if (line > limit / 2 && text.slice(0, line).trim() !== '') return text.slice(0, line)
  const isCut = /[\udc00-\udfff]/.test(text.charAt(limit)) && /[\ud800-\udbff]/.test(text.charAt(limit - 1))
  return text.slice(0, isCut ? limit - 1 : limit)
}
