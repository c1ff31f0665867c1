/**
 * The name of the datasource of a schema that is surely valid; null for one that only the real CLI can judge. What counts here: blocks of
 * plain lines, types that exist, a datasource with the one variable.
 */
export function plainSchema(text: string): string | null {
  const lines = text.split('\n').map((line) => line.replace(/\/\/.*$/, '').trim())
  const names = new Set(lines.flatMap((line) => /^(?:model|enum) (\w+) \{$/.exec(line)?.[1] ?? []))
  let datasource: string | null = null
  let block: string | null = null
  for (const line of lines) {
    if (line === '') continue
    const opened = /^(datasource|model|enum) (\w+) \{$/.exec(line)
    if (block === null && opened !== null) {
      block = opened[1] ?? ''
      if (block === 'datasource') {
        if (datasource !== null) return null
        datasource = opened[2] ?? ''
      }
    } else if (block !== null && line === '}') block = null
    else if (block === null || !isPlainLine(block, line, names)) return null
  }
  return block === null ? datasource : null
}

const SCALARS = new Set(['Int', 'BigInt', 'String', 'Boolean', 'DateTime', 'Float', 'Decimal', 'Json', 'Bytes'])
const BLOCK_ATTRIBUTE = /^@@(map\("\w+"\)|(id|unique|index)\(\[\w+(\(sort: (Asc|Desc)\))?(, \w+(\(sort: (Asc|Desc)\))?)*\]\))$/
const FIELD = /^\w+ +(\w+)(\?|\[\])?( +@(id|unique|map\("\w+"\)|db\.\w+(\(\d+\))?|default\([\w"]+(\(\))?\)|relation\([^@]+\)))*$/

function isPlainLine(block: string, line: string, names: ReadonlySet<string>): boolean {
  if (block === 'datasource') return /^(provider += "postgresql"|url += env\("DATABASE_URL"\))$/.test(line)
  if (BLOCK_ATTRIBUTE.test(line)) return true
  if (block === 'enum') return /^\w+$/.test(line)
  const type = FIELD.exec(line)?.[1]
  return type !== undefined && (SCALARS.has(type) || names.has(type))
}
