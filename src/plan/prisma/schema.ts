/** What the datasource of a Prisma schema says; read from its text, since no code of the repository runs before the grant. */
export type SchemaFacts = {
  readonly provider: string | null
  /** `url`, `directUrl` and `shadowDatabaseUrl` with the variable that each reads. */
  readonly variables: readonly { readonly key: string; readonly variable: string }[]
  /** Those of them that hold something else than env("…"). */
  readonly literals: readonly string[]
  readonly databaseSchemas: readonly string[]
}

export function readSchema(text: string): SchemaFacts {
  const block = /^[ \t]*datasource\s+\w+\s*\{([^}]*)\}/m.exec(withoutComments(text))?.[1] ?? ''
  const entries = block.split('\n').flatMap((line) => {
    const [, key, value] = /^\s*(\w+)\s*=\s*(.+?)\s*$/.exec(line) ?? []
    return key === undefined || value === undefined ? [] : [{ key, value }]
  })
  const urls = entries.filter(({ key }) => ['url', 'directUrl', 'shadowDatabaseUrl'].includes(key))
  const read = urls.map(({ key, value }) => ({ key, variable: /^env\(\s*"([^"]+)"\s*\)$/.exec(value)?.[1] }))
  return {
    provider: /^"(.*)"$/.exec(entries.find(({ key }) => key === 'provider')?.value ?? '')?.[1] ?? null,
    variables: read.flatMap(({ key, variable }) => (variable === undefined ? [] : [{ key, variable }])),
    literals: read.flatMap(({ key, variable }) => (variable === undefined ? [key] : [])),
    databaseSchemas: [...(/schemas\s*=\s*\[([^\]]*)\]/.exec(block)?.[1]?.matchAll(/"([^"]+)"/g) ?? [])].flatMap(([, name]) => name ?? []),
  }
}

/** `//` inside a string (an address) is not a comment. */
export const withoutComments = (text: string): string =>
  text.replace(/"(?:[^"\\\n]|\\.)*"|\/\/.*$/gm, (part) => (part.startsWith('"') ? part : ''))
