import { parseArgs } from 'node:util'

export const formats = ['text', 'github', 'sarif', 'markdown'] as const
export type Format = (typeof formats)[number]

export type ReviewCommand = {
  /** Files added between two commits, or what lies in directories. */
  readonly what:
    | { readonly kind: 'range'; readonly range: string; readonly below: readonly string[] }
    | { readonly kind: 'paths'; readonly paths: readonly string[] }
  readonly by:
    | { readonly kind: 'database'; readonly variable: string }
    | { readonly kind: 'target'; readonly name: string }
    | { readonly kind: 'assumption' }
  readonly format: Format
}

export const REVIEW_USAGE = `  lockkeeper review DIRECTORY|FILE…|A..B   says what migrations would do: those in a directory, or those that git has added from A to B
    --database env:NAME  asks the database whose URL is in the variable NAME; --target NAME asks that of a target of lockkeeper.yaml;
                         without both, tables are taken to be large and in use
    --format             text, github (annotations), sarif or markdown (a comment)
    ends with 1 when something blocks, with 2 when it could not look`

/** `lockkeeper review …`, the words after `review`; a text when they are mistyped. */
export function readReviewCommand(words: readonly string[]): ReviewCommand | string {
  const { tokens } = parseArgs({
    args: [...words],
    options: { database: { type: 'string' }, target: { type: 'string' }, format: { type: 'string' } },
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const named = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []))
  const options = new Map<string, string>()
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    if (!['database', 'target', 'format'].includes(token.name)) return mistyped(`${token.rawName} is no option of it.`)
    if (token.value === undefined || token.value.startsWith('-')) return mistyped(`${token.rawName} needs a value after it.`)
    if (options.has(token.name)) return mistyped(`${token.rawName} is there twice.`)
    options.set(token.name, token.value)
  }
  const format = formats.find((one) => one === (options.get('format') ?? 'text'))
  if (format === undefined) return mistyped(`It can print ${formats.join(', ')}, and not ${options.get('format') ?? ''}.`)
  const by = askedOf(options.get('database'), options.get('target'))
  if (typeof by === 'string') return mistyped(by)
  const [first] = named
  if (first === undefined) return mistyped('It needs a directory, files or a range of commits such as main..HEAD.')
  const what = isRange(first)
    ? ({ kind: 'range', range: first, below: named.slice(1) } as const)
    : ({ kind: 'paths', paths: named } as const)
  return { what, by, format }
}

/** `a..b` or `a...b`; `..` and `../migrations` are directories. */
const isRange = (word: string): boolean => /^[^/.][^:\s]*\.\.\.?[^/.\s][^:\s]*$/.test(word)

function askedOf(database: string | undefined, target: string | undefined): ReviewCommand['by'] | string {
  if (database !== undefined && target !== undefined) return 'It asks one database: --database or --target.'
  if (target !== undefined) return { kind: 'target', name: target }
  if (database === undefined) return { kind: 'assumption' }
  const [, variable] = /^env:([A-Za-z_]\w*)$/.exec(database) ?? []
  return variable === undefined
    ? '--database takes env:NAME, the name of a variable that holds the URL, so that no password stands in a command.'
    : { kind: 'database', variable }
}

const mistyped = (why: string): string => `${why} Nothing was reviewed.\n${REVIEW_USAGE}`
