import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { withoutComments } from '../../plan/prisma/schema.ts'

/** A schema as one text, whether it is a file or a directory of them. */
export function schemaText(path: string): string {
  if (statSync(path).isFile()) return readFileSync(path, 'utf8')
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.prisma'))
  return files.map((name) => readFileSync(join(path, name), 'utf8')).join('\n')
}

/**
 * Whether two Prisma schemas declare the same, whatever the order of their blocks and of the fields in one, white space and comments.
 * True is certain; false only means that this cannot tell.
 */
export function declaresSame(one: string, other: string): boolean {
  const [left, right] = [blocksOf(one), blocksOf(other)]
  return left !== null && right !== null && left.length > 0 && left.join('\n') === right.join('\n')
}

/** One text a block, sorted; null when something is written in a way that is not read here. */
function blocksOf(text: string): readonly string[] | null {
  const blocks: string[] = []
  let open: { readonly head: string; readonly lines: string[] } | null = null
  for (const line of withoutComments(text).split(/\r?\n/).map(spaced)) {
    if (line === '') continue
    if (open === null) {
      const [, head] = /^(\w+ \w+) ?\{$/.exec(line) ?? []
      if (head === undefined) return null
      open = { head, lines: [] }
    } else if (line === '}') {
      // the order of an enum's values means something
      const lines = open.head.startsWith('enum ') ? open.lines : open.lines.toSorted()
      blocks.push([open.head, ...lines].join('\n'))
      open = null
    } else {
      if (!isWhole(line)) return null
      open.lines.push(line)
    }
  }
  return open === null ? blocks.sort() : null
}

/** White space as one space, and none beside brackets, commas and colons; in strings as it is. */
const spaced = (line: string): string =>
  line
    .trim()
    .split(STRING)
    .map((part, at) => (at % 2 === 1 ? part : part.replace(/\s+/g, ' ').replace(/ ?([()[\],:]) ?/g, '$1')))
    .join('')

/** Brackets that a line opens it closes, and nothing in it is a comment of several lines. */
function isWhole(line: string): boolean {
  const bare = line
    .split(STRING)
    .filter((_, at) => at % 2 === 0)
    .join('')
  const count = (character: string) => bare.split(character).length
  return count('(') === count(')') && count('[') === count(']') && !/[{}]|\/\*|\*\//.test(bare)
}

const STRING = /("(?:[^"\\]|\\.)*")/
