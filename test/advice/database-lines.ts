import { tmpdir } from 'node:os'
import { expect, onTestFinished } from 'vitest'
import { withTarget } from '../../src/database/connect.ts'
import { namingWhoLocks } from '../../src/database/locked.ts'
import { readSessionFacts, whyOtherSchema } from '../../src/database/session-facts.ts'
import { parseTargetUrl } from '../../src/database/urls.ts'
import { mendSentence } from '../../src/migrate/decide/outcomes.ts'
import { hiddenText } from '../../src/plan/prisma8/unfit.ts'
import { readableFindings } from '../../src/run/preflight/readable.ts'
import { startServer } from '../faults/server.ts'
import { createOwnedDatabase, inDatabase } from '../helpers/backup.ts'
import { createDatabase, onServer, type TestDatabase } from '../helpers/postgres.ts'
import { serverUrl } from '../helpers/server.ts'
import { PROVOKED, THERE } from '../migrate/diagnoses/provoked.ts'
import { SAID } from '../migrate/diagnoses/said.ts'
import { copied, refusalOf, shell, type Scenario } from './typed.ts'

/** Lines for the database, typed in one where they are advised. */

let database: TestDatabase

export async function openDatabase(): Promise<() => Promise<void>> {
  database = await createDatabase()
  await sql(THERE)
  return database.close
}

const sql = (text: string) => withTarget({ url: database.url, applicationName: 'test' }, async (client) => (await client.query(text)).rows)

/** In one transaction, as Prisma sends a file. */
const file = (text: string) => sql(`begin; ${text}; rollback`)

/** What fails with these words; they are held to the server elsewhere. */
async function after(title: string, beginning: string): Promise<string> {
  const [provoked, said] = [PROVOKED[title], SAID[title]]
  if (provoked === undefined || said === undefined) throw new Error(title)
  await expect(file(provoked.sql)).rejects.toMatchObject({ code: provoked.state })
  return copied(said.says.join(' '), beginning)
}

/** What a migration fails with, mended in its file. */
export const mendedFiles: readonly Scenario[] = [
  {
    shapes: ['ALTER COLUMN … TYPE … USING …::…'],
    async drive() {
      const words = await after('a type that does not cast', 'ALTER COLUMN')
      return file(`update customers set email = id; alter table customers ${words.replaceAll('…', 'email')}`)
    },
  },
  {
    shapes: [`SELECT pg_get_viewdef('…'::regclass)`],
    async drive() {
      const [row] = await sql(await after('a column in a view', 'SELECT'))
      return file(
        `drop view totals; drop materialized view sums; alter table orders alter column total type bigint; create view totals as ${row.pg_get_viewdef}`,
      )
    },
  },
  {
    shapes: ['SELECT name FROM pg_available_extensions'],
    drive: async () => expect(await sql(await after('an extension that is not there', 'SELECT'))).toContainEqual({ name: 'pg_trgm' }),
  },
  {
    shapes: ['CREATE EXTENSION IF NOT EXISTS'],
    async drive() {
      const words = await after('an extension that only a superuser may create', 'CREATE')
      return file(`create extension file_fdw; set local role pg_monitor; ${words} file_fdw`)
    },
  },
  {
    shapes: ['NOT VALID'],
    async drive() {
      for (const title of ['a check that rows break', 'a foreign key that rows break'])
        await file(`${(PROVOKED[title]?.sql ?? '').replace(';', '')} ${await after(title, 'NOT VALID')}`)
    },
  },
  {
    shapes: ['OVERRIDING SYSTEM VALUE'],
    drive: async () => file(`insert into numbered ${await after('an identity that is written to', 'OVERRIDING')} values (1, 'a')`),
  },
  {
    shapes: ['DROP VIEW', 'CREATE VIEW'],
    drive: async () => file(`${await after('a view with fewer columns', 'DROP')} totals; CREATE VIEW totals as select id from orders`),
  },
  {
    shapes: ['ALTER VIEW', 'ALTER SEQUENCE'],
    drive: async () =>
      file(
        `${await after('a view that is altered as a table', 'ALTER VIEW')} totals alter column total set default 1; ALTER SEQUENCE numbered_id_seq restart`,
      ),
  },
  {
    shapes: ['SET CONSTRAINTS ALL IMMEDIATE;'],
    async drive() {
      const words = await after('rows and their table in one file', 'SET CONSTRAINTS')
      const [rows = '', change = ''] = (PROVOKED['rows and their table in one file']?.sql ?? '').split(/(?<=;)/)
      return file(`${rows} ${words} ${change}`)
    },
  },
  {
    shapes: ['INSERT … VALUES', 'pg_dump --inserts'],
    async drive() {
      const words = copied(SAID['rows that Prisma does not send']?.says.join(' ') ?? '', 'pg_dump --')
      const { stdout } = await shell(`${words} --data-only --table=orders "${database.url}"`, tmpdir())
      const inserts = stdout.split('\n').filter((line) => line.startsWith('INSERT'))
      expect(inserts).toHaveLength(2)
      return file(`truncate orders; ${inserts.join('')}`)
    },
  },
  {
    shapes: ['RESET default_transaction_read_only;'],
    drive: () => sql('SET default_transaction_read_only = on; RESET default_transaction_read_only; create table after_that (id int)'),
  },
]

const holding = (text: string) => {
  const held = Promise.withResolvers<void>()
  const ready = Promise.withResolvers<number>()
  const ended = withTarget({ url: database.url, applicationName: 'night job' }, async (client) => {
    const { rows } = await client.query<{ pid: number }>(`select pg_backend_pid() as pid`)
    await client.query(`begin; ${text}`)
    ready.resolve(rows[0]?.pid ?? 0)
    await held.promise
    await client.query('rollback')
  })
  return {
    ready: ready.promise,
    async release() {
      held.resolve()
      await ended
    },
    ended,
  }
}

export const atTheServer: readonly Scenario[] = [
  {
    shapes: ['DROP INDEX CONCURRENTLY …;', 'DROP INDEX CONCURRENTLY'],
    async drive() {
      await expect(sql('create unique index concurrently "Emails" on customers (email)')).rejects.toMatchObject({ code: '23505' })
      await sql(copied(mendSentence({ kind: 'unbuilt', name: 'Emails', qualified: 'public."Emails"' }), 'DROP'))
      expect(await sql(`select to_regclass('public."Emails"') as gone`)).toEqual([{ gone: null }])
    },
  },
  {
    shapes: ['ALTER TABLE … DETACH PARTITION … FINALIZE;'],
    async drive() {
      const reader = holding('select from parts')
      await reader.ready
      await expect(
        withTarget({ url: database.url, applicationName: 'test', statementTimeoutMs: 500 }, (client) =>
          client.query('alter table parts detach partition parts_2026 concurrently'),
        ),
      ).rejects.toMatchObject({ code: '57014' })
      await reader.release()
      expect(await sql('select inhdetachpending as pending from pg_inherits')).toEqual([{ pending: true }])
      await sql(
        copied(mendSentence({ kind: 'undetached', name: 'parts_2026', qualified: 'public.parts_2026', from: 'public.parts' }), 'ALTER'),
      )
      expect(await sql('select from pg_inherits')).toEqual([])
    },
  },
  {
    shapes: ['select pg_terminate_backend(…)'],
    async drive() {
      const holder = holding('lock table booked in access exclusive mode')
      await holder.ready
      const read = () =>
        withTarget({ url: database.url, applicationName: 'test', lockTimeoutMs: 200 }, (client) =>
          namingWhoLocks(client, () => client.query('select * from booked')),
        )
      await sql(copied(await refusalOf(read()), 'select'))
      await expect(holder.release()).rejects.toThrow(/^The connection to /)
      expect((await read()).rows).toHaveLength(1)
    },
  },
  {
    shapes: ['grant usage on schema prisma_contract to "…"; grant select on all tables in schema prisma_contract to "…"'],
    async drive() {
      const role = `the "${database.name}"`
      const name = `"${role.replaceAll('"', '""')}"`
      await sql(`create schema prisma_contract; create table prisma_contract.marker (id int); create role ${name}`)
      onTestFinished(() => onServer(`drop role ${name}`))
      onTestFinished(async () => void (await sql(`drop owned by ${name}; drop schema prisma_contract cascade`)))
      await sql(copied(hiddenText({ name: 'prod' }, { kind: 'hidden', what: 'schema', role }), 'grant'))
      await file(`set local role ${name}; select from prisma_contract.marker`)
    },
  },
  {
    shapes: ['grant select on large object … to …'],
    async drive() {
      const own = await createOwnedDatabase()
      onTestFinished(own.close)
      const admin = Object.assign(new URL(serverUrl()), { pathname: `/${own.name}` }).href
      const found = () => withTarget({ url: own.url, applicationName: 'test' }, readableFindings)
      onTestFinished(() => inDatabase(admin, 'select lo_unlink(4711)', `drop owned by ${own.role}`).then(() => {}))
      await inDatabase(admin, `select lo_from_bytea(4711, 'x')`)
      const [finding] = await found()
      await inDatabase(admin, copied(finding?.text ?? '', 'grant').replace('…', own.role))
      expect(await found()).toEqual([])
    },
  },
  {
    shapes: [
      'ALTER DATABASE … RESET search_path',
      'ALTER ROLE … RESET search_path',
      'ALTER ROLE … RESET …',
      'ALTER ROLE … IN DATABASE … RESET …',
      'ALTER ROLE ALL RESET …',
      'ALTER ROLE … SET … TO public',
    ],
    async drive() {
      const server = await startServer() // what is set for all roles would be in the way of other tests
      onTestFinished(server.close)
      const { name, url: plain } = await server.create()
      await server.sql('create role "a ""role""" login superuser password \'a\'')
      const url = Object.assign(new URL(plain), { username: 'a "role"', password: 'a' }).href
      const parsed = parseTargetUrl(url)
      if (parsed.kind === 'bad') throw new Error(parsed.why)
      const why = () =>
        withTarget({ url, applicationName: 'test' }, async (client) => whyOtherSchema(await readSessionFacts(client), parsed.url))
      for (const [set, beginning] of [
        [`alter database ${name} set search_path to audit`, `ALTER DATABASE "${name}" RESET`],
        ['alter role "a ""role""" set search_path to audit', 'ALTER ROLE "a ""role""" RESET'],
        [`alter role "a ""role""" in database ${name} set search_path to audit`, `ALTER ROLE "a ""role""" IN DATABASE "${name}" RESET`],
        ['alter role all set search_path to audit', 'ALTER ROLE ALL RESET'],
      ] as const) {
        await server.sql(set)
        await server.sql(copied((await why()) ?? '', beginning))
        expect(await why()).toBeNull()
      }
      await withTarget({ url, applicationName: 'test' }, (client) => client.query('create schema "a ""role"""'))
      await server.sql(copied((await why()) ?? '', 'ALTER ROLE'))
      expect(await why()).toBeNull()
    },
  },
]
