/** `AlterSeqStmt` as people write it: ALTER SEQUENCE. */
export function statementName(node: string): string {
  const words = node.replace(/Stmt$/, '').match(/[A-Z][a-z]*/g) ?? []
  return words
    .map((word) => WORDS[word.toLowerCase()] ?? word.toUpperCase())
    .filter((word) => word !== '')
    .join(' ')
    .replace('TABLE SPACE', 'TABLESPACE')
}

/** Where PostgreSQL's parser shortens them, or adds some of its own. */
const WORDS: Readonly<Record<string, string>> = {
  am: 'ACCESS METHOD',
  contents: '',
  conversion: 'CONVERSION',
  def: '',
  fdw: 'FOREIGN DATA WRAPPER',
  func: 'FUNCTION',
  op: 'OPERATOR',
  plang: 'LANGUAGE',
  sec: 'SECURITY',
  seq: 'SEQUENCE',
  stats: 'STATISTICS',
  trig: 'TRIGGER',
}

/** What DROP and RENAME name, as people write it. */
export const objectKind = (kind: string): string => KINDS[kind] ?? kind.replaceAll('_', ' ')

const KINDS: Readonly<Record<string, string>> = {
  matview: 'materialized view',
  tabconstraint: 'constraint',
  domconstraint: 'constraint of a domain',
  foreign_server: 'server',
  fdw: 'foreign data wrapper',
  statistic_ext: 'statistics',
  opclass: 'operator class',
  opfamily: 'operator family',
  tsconfiguration: 'text search configuration',
  tsdictionary: 'text search dictionary',
  tsparser: 'text search parser',
  tstemplate: 'text search template',
  publication_namespace: 'publication',
  publication_rel: 'publication',
}
