import { posix } from 'node:path'

const ENDINGS = ['js', 'ts', 'mjs', 'cjs', 'mts', 'cts'] as const

/**
 * Where Prisma looks for its configuration, below the application, first come first. What is named for version 7 is there to live beside 8,
 * and 7.10 prefers it; older versions do not know it.
 */
export const CONFIG_FILES: readonly string[] = [
  ...['prisma7.config', '.config/prisma7'].flatMap((name) => ENDINGS.map((ending) => `${name}.${ending}`)),
  ...['prisma.config', '.config/prisma', '.config/prisma.config'].flatMap((name) => [
    ...ENDINGS.map((ending) => `${name}.${ending}`),
    ...ENDINGS.map((ending) => `${name}/index.${ending}`),
  ]),
]

export const isForSeven = (path: string): boolean => /^prisma7(\.|$)/.test(posix.basename(path))

/** What a key of `datasource` gives Prisma; `default` is what comes when no variable is set, `unread` is computed. */
export type Address =
  | { readonly kind: 'variable'; readonly variable: string; readonly fallback: 'none' | 'literal' }
  | { readonly kind: 'literal' }
  | { readonly kind: 'unread' }

const ADDRESS_KEYS = new Set(['url', 'directUrl', 'shadowDatabaseUrl'])

export type ConfigFacts = {
  /** Keys of `datasource` that hold an address; empty when there is none, null when that cannot be read from the text. */
  readonly addresses: readonly { readonly key: string; readonly address: Address }[] | null
  /** `migrations.path`, where it is written down. */
  readonly migrations: string | null
  /** `tables.external`: `schema.table`; those that it computes are not known. */
  readonly externalTables: readonly string[]
}

/** From its text, since no code of the repository runs before the grant. */
export function readConfig(text: string): ConfigFacts {
  const code = withoutComments(text)
  const datasource = objectAt(code, 'datasource')
  const entries = datasource === null ? [] : entriesOf(datasource).filter(({ key }) => ADDRESS_KEYS.has(key))
  const isOpaque = datasource === null ? /\bdatasource\b|\.\.\./.test(code) : /\.\.\./.test(datasource)
  return {
    addresses: isOpaque ? null : entries.map(({ key, value }) => ({ key, address: addressOf(value, code) })),
    migrations: literalOf(entriesOf(objectAt(code, 'migrations') ?? '').find(({ key }) => key === 'path')?.value ?? ''),
    externalTables: readExternalTables(code),
  }
}

function readExternalTables(code: string): readonly string[] {
  const value = entriesOf(objectAt(code, 'tables') ?? '').find(({ key }) => key === 'external')?.value ?? ''
  const list = /^\[([^]*)\]$/.exec(value)?.[1] ?? ''
  return [...list.matchAll(/(['"`])([^'"`$]+)\1/g)].flatMap(([, , name]) => name ?? [])
}

/** One level of `const NAME = …` is followed. */
function addressOf(value: string, code: string, depth = 0): Address {
  const [first = '', ...rest] = value.split(/\?\?|\|\|/).map((part) => part.trim())
  if (rest.length > 0) {
    const address = addressOf(first, code, depth)
    const isEmpty = rest.every((part) => /^(''|""|``|undefined)$/.test(part))
    return address.kind === 'variable' && !isEmpty ? { ...address, fallback: 'literal' } : address
  }
  const variable =
    /^env(?:<[^>]*>)?\(\s*(['"`])(\w+)\1\s*,?\s*\)$/.exec(first)?.[2] ??
    /^(?:process|globalThis\.process|Bun)\.env(?:\.(\w+)|\[\s*(['"`])(\w+)\2\s*\])(?:!| as \w+)?$/
      .exec(first)
      ?.slice(1)
      .find((part) => /^\w+$/.test(part ?? ''))
  if (variable !== undefined) return { kind: 'variable', variable, fallback: 'none' }
  if (literalOf(first) !== null) return { kind: 'literal' }
  const declared =
    depth === 0 && /^\w+$/.test(first)
      ? new RegExp(`\\b(?:const|let|var)\\s+${first}(?:\\s*:[^=]+)?\\s*=\\s*([^;\\n]+)`).exec(code)?.[1]
      : undefined
  return declared === undefined ? { kind: 'unread' } : addressOf(declared.trim(), code, 1)
}

/** A text that stands there as it is; an empty one is none. */
const literalOf = (value: string): string | null =>
  /^(?:'([^'\n]+)'|"([^"\n]+)"|`([^`$]+)`)$/
    .exec(value)
    ?.slice(1)
    .find((part) => part !== undefined) ?? null

const STRINGS = `'(?:[^'\\\\\\n]|\\\\.)*'|"(?:[^"\\\\\\n]|\\\\.)*"|\`(?:[^\`\\\\]|\\\\.)*\``
const withoutComments = (text: string): string =>
  text.replace(new RegExp(`${STRINGS}|//.*$|/\\*[^]*?\\*/`, 'gm'), (part) => (/^['"`]/.test(part) ? part : ' '))

/** What stands between the braces of `key: { … }`, the first time. */
function objectAt(code: string, key: string): string | null {
  const found = new RegExp(`(?:^|[^.\\w])['"]?${key}['"]?\\s*:\\s*\\{`).exec(code)
  if (found === null) return null
  const from = found.index + found[0].length
  let end = from
  for (const { at, depth } of levels(code.slice(from))) {
    if (depth < 0) return code.slice(from, from + at)
    end = from + at
  }
  return code.slice(from, end)
}

function entriesOf(body: string): readonly { readonly key: string; readonly value: string }[] {
  const cuts = [-1, ...[...levels(body)].flatMap(({ at, depth, character }) => (depth === 0 && character === ',' ? [at] : [])), body.length]
  return cuts.slice(1).flatMap((cut, index) => {
    const [, key, value] = /^\s*['"]?(\w+)['"]?\s*:\s*([^]*?)\s*$/.exec(body.slice((cuts[index] ?? -1) + 1, cut)) ?? []
    return key === undefined || value === undefined ? [] : [{ key, value }]
  })
}

/** Each character outside of strings, with how many brackets are open behind it. */
function* levels(text: string): Generator<{ readonly at: number; readonly depth: number; readonly character: string }> {
  let depth = 0
  for (const { 0: part, index } of text.matchAll(new RegExp(`${STRINGS}|[^]`, 'g'))) {
    if (part.length > 1) continue
    if ('([{'.includes(part)) depth += 1
    if (')]}'.includes(part)) depth -= 1
    yield { at: index, depth, character: part }
  }
}
