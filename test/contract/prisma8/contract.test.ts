import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createDatabase } from '../../helpers/postgres.ts'
import { modulesWithPrisma8, realDirectory, VERSION } from '../../helpers/prisma8/modules.ts'
import { CONFIG } from '../../helpers/prisma8/scene.ts'
import { until } from '../../helpers/until.ts'
import { applicationFiles, signedDatabase } from '../../plan/prisma8/application.ts'
import { situations, type Situation } from './situations.ts'

/** What the real one said and did, kept when it was last asked. */
const place = join(import.meta.dirname, `transcripts-${VERSION}.json`)
const isRecording = process.env['LOCKKEEPER_TEST_CONTRACT'] === 'record' && realDirectory() !== null
const transcripts: Record<string, object> = existsSync(place) ? (JSON.parse(readFileSync(place, 'utf8')) as Record<string, object>) : {}

describe('the recorded Prisma 8 says and does what the real one did', () => {
  test.each(situations)('$name', async (situation) => {
    if (isRecording) keep(situation.name, await happens(situation, 'real'))
    for (const which of realDirectory() === null || isRecording ? (['recorded'] as const) : (['real', 'recorded'] as const))
      expect({ which, ...(await happens(situation, which)) }).toEqual({ which, ...transcripts[situation.name] })
  })
})

test('every transcript is of a situation', () => {
  expect(Object.keys(transcripts).toSorted()).toEqual(situations.map(({ name }) => name).toSorted())
})

/** In the order of their names. */
function keep(name: string, transcript: object): void {
  transcripts[name] = transcript
  const names = Object.keys(transcripts).toSorted()
  writeFileSync(place, `${JSON.stringify(Object.fromEntries(names.map((one) => [one, transcripts[one]])), null, 2)}\n`)
}

async function happens(situation: Situation, which: 'recorded' | 'real') {
  const database = await createDatabase()
  onTestFinished(() => database.close())
  const client = new pg.Client({ connectionString: database.url })
  client.on('error', () => {}) // the database is dropped under it
  await client.connect()
  onTestFinished(() => client.end().catch(() => {}))
  if (situation.sql !== null) await client.query(`${signedDatabase()}; ${situation.sql}`)
  await client.query('reset all') // a dump sets its session's search path
  const application = applicationWith(situation, which)
  const holder = situation.held === undefined ? null : await holding(database.url, situation.held)
  const own = new URL(database.url)
  own.searchParams.set('application_name', 'asked')
  if (situation.options !== undefined) own.searchParams.set('options', `-c ${situation.options}`)
  const url = situation.url === undefined ? own.href : situation.url(own.href)
  const ending = run(join(application, 'node_modules/.bin/prisma'), situation.command, application, url)
  if (situation.ends !== undefined) {
    const { ends } = situation
    await until('it waits', async () => (await waiting(client)).rows.length > 0)
    await client.query(`select ${ends}(pid) from pg_stat_activity where application_name = 'asked' and datname = current_database()`)
  }
  const end = await ending
  await holder?.query('rollback')
  return { ...end, said: end.said.map((line) => steady(line, application, database)), left: await left(client) }
}

const waiting = (client: pg.Client) =>
  client.query(
    `select 1 from pg_stat_activity where application_name = 'asked' and datname = current_database() and wait_event_type = 'Lock'`,
  )

async function holding(url: string, held: string): Promise<pg.Client> {
  const holder = new pg.Client({ connectionString: url })
  holder.on('error', () => {})
  await holder.connect()
  onTestFinished(() => holder.end().catch(() => {}))
  await holder.query(`begin; ${held}`)
  return holder
}

function applicationWith({ files = {} }: Situation, which: 'recorded' | 'real'): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'lockkeeper-prisma8-')))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  for (const [path, content] of Object.entries({ ...applicationFiles(), 'prisma.config.ts': CONFIG, ...files })) {
    if (content === null) continue
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), content)
  }
  symlinkSync(modulesWithPrisma8(which), join(directory, 'node_modules'))
  return directory
}

/** Lines of standard output as they are parsed. */
function run(program: string, command: readonly string[], cwd: string, url: string | undefined) {
  const child = spawn(program, command, {
    cwd,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      DO_NOT_TRACK: '1',
      PRISMA_DISABLE_TELEMETRY: '1',
      ...(url === undefined ? {} : { DATABASE_URL: url }),
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
  return new Promise<{ exitCode: number | null; said: readonly unknown[] }>((resolve) =>
    child.on('close', (exitCode) =>
      resolve({
        exitCode,
        said: text
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as unknown),
      }),
    ),
  )
}

/** Without hours, durations, places and names of this test alone. */
function steady(line: unknown, application: string, { url, name }: { readonly url: string; readonly name: string }): unknown {
  const { port, username } = new URL(url)
  const text = JSON.stringify(line, (key, value: unknown) => (key === 'timestamp' || key === 'total' ? undefined : value))
    .replaceAll(application, '{application}')
    .replaceAll(name, '{database}')
    .replaceAll(`"${port}"`, '"{port}"')
    .replaceAll(`"username":"${username}"`, '"username":"{user}"')
  return JSON.parse(text)
}

/** What it left in the database. */
async function left(client: pg.Client) {
  const { rows } = await client.query<{ there: boolean }>(`select to_regclass('prisma_contract.marker') is not null as there`)
  const columns = await client.query(
    `select table_name, column_name, udt_name, is_nullable from information_schema.columns where table_schema = 'public' order by 1, 2`,
  )
  if (rows[0]?.there !== true) return { marker: null, ledger: null, contracts: null, columns: columns.rows }
  return {
    marker: (await client.query('select space, core_hash, profile_hash, app_tag, meta, invariants from prisma_contract.marker')).rows,
    ledger: (
      await client.query<{ operations: readonly Written[] }>(
        `select space, migration_name, migration_hash, origin_core_hash, origin_profile_hash, destination_core_hash, destination_profile_hash,
           operations from prisma_contract.ledger order by id`,
      )
    ).rows.map((row) => ({ ...row, operations: row.operations.map(inShort) })),
    contracts: (await client.query('select core_hash from prisma_contract.contract order by 1')).rows,
    columns: columns.rows,
  }
}

type Written = {
  readonly id: string
  readonly label: string
  readonly operationClass: string
  readonly meta?: unknown
  readonly precheck: readonly unknown[]
  readonly execute: readonly unknown[]
  readonly postcheck: readonly unknown[]
}

/** Of what stands in `ops.json` as well, how much there is. */
const inShort = ({ id, label, operationClass, meta, precheck, execute, postcheck }: Written) => ({
  id,
  label,
  operationClass,
  ...(meta === undefined ? {} : { meta }),
  steps: [precheck.length, execute.length, postcheck.length],
})
