import { join } from 'node:path'
import type { Queryable } from '../../database/connect.ts'
import { readJson, writeWholeSync } from '../../lib/durable-file.ts'
import { code } from '../../lib/text/code.ts'
import { list } from '../../lib/text/sentences.ts'
import { createdNames } from '../../sql/created-names.ts'
import { reviewMigrations } from '../../sql/review.ts'
import type { LeftSetting } from '../../sql/session-state.ts'
import type { Attempt } from '../attempts/attempt.ts'
import type { Work } from './work.ts'

/**
 * Looks, once after each start of the migrator, whether what its files created stands where it belongs: a file that leaves `search_path` or
 * a role behind leads the files after it elsewhere, and Prisma says that all went well.
 */
export async function noteMisplaced({ context, workspace, observer }: Work, attempt: Attempt | null): Promise<void> {
  if (attempt === null || readJson(join(attempt.directory, 'looked.json')) !== null) return
  const names = new Set(attempt.intent.migrations)
  const files = workspace.approved.migrations.filter(({ name }) => names.has(name))
  const reviews = await reviewMigrations(files, { sizes: [], schema: workspace.parsed.schema })
  const led = await Promise.all(
    reviews.flatMap(({ inherits }, at) => {
      const file = files[at]
      return file === undefined || inherits.length === 0
        ? []
        : [createdNames(file.content).then((created) => ({ file: file.name, inherits, created }))]
    }),
  )
  const created = [...new Set(led.flatMap((one) => one.created))]
  const found = created.length === 0 ? [] : await observer.glance((client) => standing(client, created, attempt.intent.sinceXid))
  if (found === null) return
  for (const text of misplacedTexts(led, found, workspace.parsed)) await context.note({ kind: 'finding', data: { text } })
  writeWholeSync(join(attempt.directory, 'looked.json'), 'true')
}

type Led = { readonly file: string; readonly inherits: readonly LeftSetting[]; readonly created: readonly string[] }
type Standing = { readonly schema: string; readonly name: string; readonly owner: string }

/** One for each setting of each file that left it. */
export function misplacedTexts(
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
            .map((one) => ({ ...one, file }))
        : [],
    )
    const [first] = wrong
    if (first === undefined) return []
    const what = list(wrong.slice(0, 5).map(({ schema: where, name, file }) => `${code(`${where}.${name}`)} (${code(file)})`))
    const more = wrong.length > 5 ? ` and ${wrong.length - 5} more` : ''
    const left = `${code(setting.file)} left ${code(setting.name)}${setting.value === null ? '' : ` at ${code(setting.value)}`} behind`
    const table = `"${first.schema}"."${first.name}"`
    return [
      isPath
        ? `${left}, so what files after it created without a schema is not in ${code(schema)}: ${what}${more}. Move it by a new migration (${code(`ALTER TABLE ${table} SET SCHEMA "${schema}"`)}) before the application is to find it there.`
        : `${left}, so what files after it created belongs to ${code(first.owner)} and not to ${code(user)}: ${what}${more}. Give it back by a new migration (${code(`ALTER TABLE ${table} OWNER TO "${user}"`)}) where that is not meant.`,
    ]
  })
}

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
