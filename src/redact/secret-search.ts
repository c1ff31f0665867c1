/** Finds any of many texts in a long one, for the redactor alone: most of a text that holds none of them is never looked at. */
export type Search = {
  /** The first place at or after `from` where one of the texts stands, and the longest that does; null when there is none. */
  readonly next: (text: string, from: number) => { readonly at: number; readonly length: number } | null
  /** Where the end of a text begins one of them, which may go on in what comes next; the text's length when it does not. */
  readonly openFrom: (text: string, least?: number) => number
}

/** Characters that decide how far the search may jump (Wu and Manber's algorithm); more would need a larger table. */
const BLOCK = 3
const TABLE = 1 << 16

/** Each of the texts has at least three characters. */
export function createSearch(wanted: readonly string[]): Search {
  const longest = wanted.reduce((most, one) => Math.max(most, one.length), 0)
  const window = Math.min(255, ...wanted.map((one) => one.length))
  const jumps = new Uint8Array(TABLE).fill(window - BLOCK + 1)
  const byBeginning = new Map<string, string[]>()
  for (const one of wanted.toSorted((a, b) => b.length - a.length)) {
    for (let end = BLOCK; end <= window; end++) {
      const hash = hashAt(one, end - 1)
      jumps[hash] = Math.min(jumps[hash] ?? 0, window - end)
    }
    const beginning = one.slice(0, window)
    const alike = byBeginning.get(beginning)
    if (alike === undefined) byBeginning.set(beginning, [one])
    else alike.push(one)
  }
  const inOrder = wanted.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  return {
    next(text, from) {
      for (let end = from + window - 1; end < text.length;) {
        const jump = jumps[hashAt(text, end)] ?? 1
        if (jump > 0) {
          end += jump
          continue
        }
        const at = end - window + 1
        const found = byBeginning.get(text.slice(at, end + 1))?.find((one) => text.startsWith(one, at))
        if (found !== undefined) return { at, length: found.length }
        end++
      }
      return null
    },
    openFrom(text, least = 1) {
      for (let from = Math.max(0, text.length - longest + 1); from + least <= text.length; from++)
        if (begins(inOrder, text, from)) return from
      return text.length
    },
  }
}

/** Of the three characters that end here. */
const hashAt = (text: string, end: number): number =>
  (text.charCodeAt(end - 2) * 961 + text.charCodeAt(end - 1) * 31 + text.charCodeAt(end)) & (TABLE - 1)

/** Whether one of the sorted texts begins with what stands here. */
function begins(inOrder: readonly string[], text: string, from: number): boolean {
  const beginning = text.slice(from)
  let low = 0
  let high = inOrder.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((inOrder[middle] ?? '') < beginning) low = middle + 1
    else high = middle
  }
  return inOrder[low]?.startsWith(beginning) === true
}
