import { join } from 'node:path'
import type { Queryable } from '../../database/connect.ts'
import { identifier, readSessionFacts, whyOtherSchema } from '../../database/session-facts.ts'
import { readJson, writeWholeSync } from '../../lib/durable-file.ts'
import { code } from '../../lib/text/code.ts'
import { list } from '../../lib/text/sentences.ts'
import { createdNames } from '../../sql/new-tables.ts'
import { reviewMigrations } from '../../sql/review.ts'
import type { LeftSetting } from '../../sql/session-state.ts'
import type { Attempt } from '../attempts/attempt.ts'
import type { Work } from './work.ts'

/**
 * Looks, once after each start of the migrator, whether what its files created stands where it belongs: a file that leaves `search_path` or
 * a role behind leads the files after it elsewhere, a path of the database or the role leads all of them, and Prisma says that all went well.
 */
export async function noteMisplaced({ context, workspace, observer }: Work, attempt: Attempt | null): Promise<void> {
  if (attempt === null || readJson(join(attempt.directory, 'looked.json')) !== null) return
  const names = new Set(attempt.intent.migrations)
  const files = workspace.approved.migrations.filter(({ name }) => names.has(name))
  const otherSchema = await observer.glance(async (client) => ({ why: whyOtherSchema(await readSessionFacts(client), workspace.parsed) }))
  if (otherSchema === null) return
  if (otherSchema.why === null && !files.some(({ content }) => LEADS.test(content.toString('utf8')))) return
  const reviews = await reviewMigrations(files, { sizes: [], schema: workspace.parsed.schema })
  const led = await Promise.all(
    files.map(async ({ name, content }, at): Promise<Led> => {
      const review = reviews[at]
      return { file: name, inherits: review?.inherits ?? [], isOwn: content.includes('search_path'), created: await createdNames(content) }
    }),
  )
  const created = [...new Set(led.flatMap((one) => one.created))]
  const found = await observer.glance((client) => standing(client, created, attempt.intent.sinceXid))
  if (found === null) return
  const texts = [...misplacedTexts(led, found, workspace.parsed), ...strayTexts(led, found, otherSchema.why, workspace.parsed.schema)]
  for (const text of texts) await context.note({ kind: 'finding', data: { text } })
  writeWholeSync(join(attempt.directory, 'looked.json'), 'true')
}

/** Without one of these words a file leads no other. */
const LEADS = /search_path|set_config|\bset\b[^;]*\b(?:schema|role|authorization)\b/i

type Led = {
  readonly file: string
  readonly inherits: readonly LeftSetting[]
  /** It sets the path itself. */
  readonly isOwn: boolean
  readonly created: readonly string[]
}
type Standing = { readonly schema: string; readonly name: string; readonly owner: string }

/** Of files that no other file has led. */
function strayTexts(led: readonly Led[], found: readonly Standing[], otherSchema: string | null, schema: string): readonly string[] {
  if (otherSchema === null) return []
  const wrong = led.flatMap(({ file, inherits, isOwn, created }) =>
    isOwn || inherits.some(({ name }) => name === 'search_path')
      ? []
      : found.filter((one) => created.includes(one.name) && one.schema !== schema).map((one) => Object.assign({ file }, one)),
  )
  const [first] = wrong
  return first === undefined ? [] : [`${otherSchema} What was created without a schema is there: ${shown(wrong)}. ${moving(first, schema)}`]
}

/** One for each setting of each file that left it. */
function misplacedTexts(
  led: readonly Led[],
  found: readonly Standing[],
  { schema, user }: { readonly schema: string; readonly user: string },
): readonly string[] {
  const settings = new Map(led.flatMap(({ inherits }) => inherits.map((setting) => [`${setting.file} ${setting.name}`, setting] as const)))
  return [...settings.values()].flatMap((setting) => {
    const isPath = setting.name === 'search_path'
    if (!isPath && setting.name !== 'role' && setting.name !== 'session_authorization') return []
    const wrong = led.flatMap(({ file, inherits, created }) =>
      inherits.some((one) => one.file === setting.file && one.name === setting.name)
        ? found
            .filter((one) => created.includes(one.name) && (isPath ? one.schema !== schema : one.owner !== user))
            .map((one) => Object.assign({ file }, one))
        : [],
    )
    const [first] = wrong
    if (first === undefined) return []
    const left = `${code(setting.file)} left ${code(setting.name)}${setting.value === null ? '' : ` at ${code(setting.value)}`} behind`
    return [
      isPath
        ? `${left}, so what files after it created without a schema is not in ${code(schema)}: ${shown(wrong)}. ${moving(first, schema)}`
        : `${left}, so what files after it created belongs to ${code(first.owner)} and not to ${code(user)}: ${shown(wrong)}. Give it back by a new migration (${code(`ALTER TABLE ${qualified(first)} OWNER TO ${identifier(user)}`)}) where that is not meant.`,
    ]
  })
}

const shown = (wrong: readonly (Standing & { readonly file: string })[]): string =>
  `${list(wrong.slice(0, 5).map(({ schema, name, file }) => `${code(`${schema}.${name}`)} (${code(file)})`))}${wrong.length > 5 ? ` and ${wrong.length - 5} more` : ''}`

const moving = (first: Standing, schema: string): string =>
  `Move it by a new migration (${code(`ALTER TABLE ${qualified(first)} SET SCHEMA ${identifier(schema)}`)}) before the application is to find it in ${code(schema)}.`

const qualified = ({ schema, name }: Standing): string => `${identifier(schema)}.${identifier(name)}`

/** Relations of these names that are younger than a transaction id. */
async function standing(client: Queryable, names: readonly string[], sinceXid: string): Promise<readonly Standing[]> {
  const { rows } = await client.query<Standing>(
    `select n.nspname as schema, c.relname as name, pg_get_userbyid(c.relowner)::text as owner
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relname = any ($1) and c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^(pg_|information_schema)'
        and age(c.xmin) <= age(($2::xid8)::xid)
      order by 1, 2`,
    [names, sinceXid],
  )
  return rows
}
