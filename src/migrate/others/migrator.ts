/**
 * A program of its own: `node migrator.ts deploy|status|applied NAME|rolled-back NAME`, in a directory with `order.json` and the files that
 * it names. It applies plain SQL files that the record does not know yet, each in one transaction with its row of the record; what runs
 * outside of a transaction is recorded before and after. Each file has a session of its own, so that nothing a file sets reaches another.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { connectTarget } from '../../database/connect.ts'

const session = z
  .object({ url: z.string(), schema: z.string(), applicationName: z.string(), lockTimeoutMs: z.number(), statementTimeoutMs: z.number() })
  .parse(JSON.parse(process.env['LOCKKEEPER_SQL_SESSION'] ?? ''))
const order = z
  .object({
    files: z.array(z.object({ name: z.string(), isOutside: z.boolean() })),
    /** How many of them the plan takes for applied without a record. */
    assumed: z.number(),
  })
  .parse(JSON.parse(readFileSync('order.json', 'utf8')))

type Session = Awaited<ReturnType<typeof connectTarget>>
type File = (typeof order.files)[number]

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`
const record = `${quote(session.schema)}.lockkeeper_migrations`

/** The lock that Prisma takes too: of all that migrate this database, one at a time. */
const LOCK = 72707369

const [verb, named] = process.argv.slice(2)
try {
  if (verb === 'deploy') await deploy()
  else if (verb === 'status') await withSession(status)
  else if ((verb === 'applied' || verb === 'rolled-back') && named !== undefined) await withSession((client) => mark(client, verb, named))
  else throw new Error('usage: migrator.ts deploy|status|applied NAME|rolled-back NAME')
} catch (error) {
  report(null, error)
  process.exitCode = 1
}

async function deploy(): Promise<void> {
  await withSession(makeRecord)
  for (const file of order.files) {
    const failed = await withSession((client) => (file.isOutside ? applyOutside(client, file) : applyInside(client, file)))
    if (failed === null) continue
    report(file, failed)
    process.exitCode = 1
    return
  }
  say('All migrations are applied.')
}

/** With what the plan takes for applied in a database that is older than the record, in one transaction. */
async function makeRecord(client: Session): Promise<void> {
  await client.query('begin')
  await client.query('select pg_advisory_xact_lock($1)', [LOCK])
  const { rows } = await client.query<{ there: boolean }>('select to_regclass($1) is not null as there', [record])
  if (rows[0]?.there === false) {
    await client.query(`create table ${record} (
      id bigint generated always as identity primary key, migration_name text not null, checksum text not null,
      started_at timestamptz not null default clock_timestamp(), finished_at timestamptz, rolled_back_at timestamptz, logs text,
      applied_steps_count integer not null default 0)`)
    await client.query(`create unique index on ${record} (migration_name) where rolled_back_at is null`)
    for (const { name } of order.files.slice(0, order.assumed))
      await client.query(
        `insert into ${record} (migration_name, checksum, finished_at, logs) values ($1, $2, clock_timestamp(), 'it was there before the record')`,
        [name, checksumOf(name)],
      )
  }
  await client.query('commit')
}

async function applyInside(client: Session, file: File): Promise<unknown> {
  await client.query('begin')
  await client.query('select pg_advisory_xact_lock($1)', [LOCK])
  if (!(await isPending(client, file))) {
    await client.query('rollback')
    return null
  }
  const began = performance.now()
  await client.query(`insert into ${record} (migration_name, checksum) values ($1, $2)`, [file.name, checksumOf(file.name)])
  const { rows } = await client.query<{ xid: string }>('select pg_current_xact_id()::text as xid')
  try {
    await client.query(contentOf(file.name))
    const after = await client.query<{ xid: string }>('select pg_current_xact_id()::text as xid')
    if (after.rows[0]?.xid !== rows[0]?.xid) throw new Error('the file ended the transaction in which it was to be recorded')
    // a role or a path that the file has set is of no account for the record, which is the migrator's own
    await client.query('reset session authorization; reset role')
    await client.query(
      `update ${record} set finished_at = clock_timestamp(), applied_steps_count = 1 where migration_name = $1 and finished_at is null`,
      [file.name],
    )
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {}) // where the session is gone the server has done so
    return error
  }
  say(`${file.name} is applied, in ${Math.round(performance.now() - began)} ms.`)
  return null
}

async function applyOutside(client: Session, file: File): Promise<unknown> {
  await client.query('select pg_advisory_lock($1)', [LOCK])
  if (!(await isPending(client, file))) return null
  const began = performance.now()
  await client.query(`insert into ${record} (migration_name, checksum) values ($1, $2)`, [file.name, checksumOf(file.name)])
  try {
    await client.query(contentOf(file.name))
  } catch (error) {
    return error
  }
  await client.query(
    `update ${record} set finished_at = clock_timestamp(), applied_steps_count = 1 where migration_name = $1 and finished_at is null`,
    [file.name],
  )
  say(`${file.name} is applied, outside of a transaction, in ${Math.round(performance.now() - began)} ms.`)
  return null
}

async function status(client: Session): Promise<void> {
  const pending = await pendingIn(client)
  say(`Pending: ${JSON.stringify(pending.map(({ name }) => name))}`)
}

async function pendingIn(client: Session): Promise<readonly File[]> {
  const { rows } = await client.query<{ there: boolean }>('select to_regclass($1) is not null as there', [record])
  if (rows[0]?.there !== true) return order.files
  const pending: File[] = []
  for (const file of order.files) if (await isPending(client, file)) pending.push(file)
  return pending
}

async function isPending(client: Session, { name }: File): Promise<boolean> {
  const { rows } = await client.query(
    `select from ${record} where migration_name = $1 and rolled_back_at is null and finished_at is not null`,
    [name],
  )
  return rows.length === 0
}

async function mark(client: Session, as: 'applied' | 'rolled-back', name: string): Promise<void> {
  const column = as === 'applied' ? 'finished_at' : 'rolled_back_at'
  const { rowCount } = await client.query(
    `update ${record} set ${column} = clock_timestamp() where migration_name = $1 and finished_at is null and rolled_back_at is null`,
    [name],
  )
  if (rowCount !== 1) throw new Error(`${name} has no open row in ${record}`)
  say(`${name} is marked as ${as}.`)
}

async function withSession<T>(work: (client: Session) => Promise<T>): Promise<T> {
  const { url, applicationName, lockTimeoutMs, statementTimeoutMs } = session
  const client = await connectTarget({ url, applicationName, lockTimeoutMs, statementTimeoutMs })
  client.on('error', () => {}) // its query fails with the same reason
  try {
    return await work(client)
  } finally {
    await client.end().catch(() => {}) // gone already
  }
}

function contentOf(name: string): string {
  return readFileSync(join('files', `${name}.sql`), 'utf8')
}

function checksumOf(name: string): string {
  return createHash('sha256')
    .update(readFileSync(join('files', `${name}.sql`)))
    .digest('hex')
}

/** In the words that diagnoses read. */
function report(file: File | null, error: unknown): void {
  const field = (key: string): string | null => {
    const value = typeof error === 'object' && error !== null ? Object.entries(error).find(([one]) => one === key)?.[1] : undefined
    return typeof value === 'string' && value !== '' ? value : null
  }
  const state = field('code')
  const lines = [
    ...(file === null ? [] : [`Migration failed: ${file.name}`]),
    ...(state !== null && /^[0-9A-Z]{5}$/.test(state) ? [`Database error code: ${state}`] : []),
    `ERROR: ${error instanceof Error ? error.message : String(error)}`,
    ...['detail', 'hint'].flatMap((key) => (field(key) === null ? [] : [`${key.toUpperCase()}: ${field(key)}`])),
    ...place(file, Number(field('position') ?? 0)),
  ]
  say(lines.join('\n'))
}

/** With the line of it, by which a reader can tell that it is meant in this file. */
function place(file: File | null, at: number): readonly string[] {
  if (file === null || at === 0) return []
  const text = contentOf(file.name)
  const line = Array.from(text)
    .slice(0, at - 1)
    .join('')
    .split('\n').length
  return ['', `Position: character ${at} of: ${(text.split('\n')[line - 1] ?? '').trim()}`]
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
