import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { join } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'

const root = join(import.meta.dirname, '../..')

/** A text that the source writes down, with `…` for what is filled in. `isCode`: it is set as code as a whole. */
type Text = { readonly text: string; readonly isCode: boolean }

/** Something that a text of the product tells people to type outside of Slack. */
export type AdvisedLine = { readonly file: string; readonly shape: string }

/** Every line for a shell or for `psql` that stands in a text of the product, in the source itself. */
export async function advisedLines(): Promise<readonly AdvisedLine[]> {
  const found = new Map<string, AdvisedLine>()
  for await (const file of glob(['src/**/*.ts', 'commands/**/*.ts', 'approvals/**/*.ts'], { cwd: root }))
    for (const text of textsIn(file)) for (const shape of linesIn(text)) found.set(`${file} ${shape}`, { file, shape })
  return [...found.values()].toSorted((a, b) => (`${a.shape} ${a.file}` < `${b.shape} ${b.file}` ? -1 : 1))
}

function textsIn(file: string): readonly Text[] {
  const source = readFileSync(join(root, file), 'utf8')
  const texts: Text[] = []
  const codes = new Set<unknown>()
  new Visitor({
    CallExpression({ callee, arguments: given }) {
      if (callee.type === 'Identifier' && /^(code|codeText)$/.test(callee.name)) codes.add(given[0])
    },
    Literal(node) {
      if (typeof node.value === 'string') texts.push({ text: node.value, isCode: codes.has(node) })
    },
    TemplateLiteral(node) {
      texts.push({ text: node.quasis.map(({ value }) => value.cooked ?? '').join('…'), isCode: codes.has(node) })
    },
  }).visit(parseSync(file, source).program)
  return texts
}

/** Set as code it may be SQL too; in plain text only a program is known by its name. */
function linesIn({ text, isCode }: Text): readonly string[] {
  const spans = isCode ? [text] : [...text.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span)
  const plain = isCode ? '' : text.replace(/`[^`]*`/g, ' ')
  return [
    ...spans.map((span) => span.trim()).filter((span) => PROGRAM.test(span) || SQL.test(span) || CLAUSE.test(span)),
    ...[...plain.matchAll(PLAIN)].map(([, line = '']) => line.trim()),
  ]
}

const PROGRAM =
  /^(?:npx|npm|node|git|lockkeeper|openssl|apt-get|brew|iconv|psql|pg_dump|pg_restore|pm2|systemctl|prisma|ls|rm|chmod|chown|mkdir|sudo) [\w@…-]/
const SQL =
  /^(?:(?:alter|analyze|call|comment|copy|create|delete|drop|grant|insert|lock|reassign|refresh|reindex|reset|revoke|select|set|truncate|update|vacuum|with) [\w"…])/i
const CLAUSE = /^[A-Z]{2,} [A-Z]{2,}/

/** What follows a program's name in a sentence: its verb, and then words that are no prose. */
const VERBS =
  'lockkeeper (?:audit(?: (?:accept|list|verify))?|approve|cancel|check|deploy|doctor|evidence (?:key|verify)|export|init|maintenance|plan|reject|status|store(?: take-over)?)|npm (?:ci|install)|npx prisma(?: [a-z]+)+|openssl genpkey|apt-get install|brew install|pm2 (?:ls|restart \\w+)|git (?:add|config|lfs|rm|stash|status|update-index)|systemctl \\w+|/invite'
const PLAIN = new RegExp(
  `(?:^|[\\s(:"])((?:${VERBS})(?= |[.,;:)"]|$)(?: (?:--?[a-z][\\w-]*|"…"|…|[A-Z]{2,}|\\w*[@…\\d][\\w@…-]*\\w))*)`,
  'g',
)
