import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, type TestContext } from 'vitest'
import type { RequestRow, RequestState } from '../../src/run/record.ts'
import { launchBots, temporary, type Bot, type Bots } from '../helpers/bots.ts'
import { CHANNEL, startFlow, textOf, type Flow, type FlowOptions } from '../helpers/flow.ts'
import { commitTo, shopModules } from '../helpers/sample.ts'
import { until } from '../helpers/until.ts'
import { appliedIn, attemptsOf, connect, endProcessesOf, gather, watchTarget, wrappersIn } from './evidence.ts'
import { violations } from './invariants.ts'

export type SceneOptions = Pick<FlowOptions, 'target'> & {
  /** Pending migrations, in order. Each that writes its own name into `tally` is counted. */
  readonly migrations?: Readonly<Record<string, string>>
  /** The kill point at which the first bot dies. */
  readonly fault?: string
  /** The first install starts a process of its own that never ends, and waits for it. */
  readonly install?: 'hangs once'
  /** Gates that are open from the beginning. */
  readonly gates?: readonly string[]
}

export type Scene = Flow & {
  readonly bots: Bots
  /** The bot that was started first. */
  readonly first: () => Bot
  readonly sql: <Row extends object>(text: string, values?: readonly unknown[]) => Promise<readonly Row[]>
  /** Waits for the newest request until people can decide. */
  readonly asked: () => Promise<RequestRow>
  /** A closed gate keeps whatever waits for it; opening is for ever. */
  readonly open: (gate: string) => Promise<void>
  /** Holds a transaction open in the target until the returned function is called. */
  readonly hold: (...statements: readonly string[]) => Promise<() => Promise<void>>
  /** Sessions in which a migration waits at its gate. */
  readonly migrating: () => Promise<readonly { readonly pid: number }[]>
  /** Sessions of pg_dump that wait for a lock. */
  readonly dumping: () => Promise<readonly { readonly pid: number }[]>
  /** What stands half-written in the directory of backups. */
  readonly partials: () => readonly string[]
  /** The bot that carries the run. */
  readonly carrier: (id: number) => Promise<Bot>
  /** Whether the thread says that a process took the run over. */
  readonly adopted: () => Promise<boolean>
  /** Whether the installer that never ends is at work. */
  readonly hangs: () => Promise<boolean>
  /** kill -9 for the migrator and its wrapper, which outlive the bot. */
  readonly killMigrator: () => void
  /** kill -9 for the wrapper alone. */
  readonly killWrapper: () => void
  /** How often the migrator was started for this request. */
  readonly starts: (id: number) => number
  /** Waits until the step is in that state. */
  readonly step: (id: number, name: string, state: string) => Promise<void>
  /** Waits for the end, and that every invariant holds. */
  readonly ends: (id: number, state: RequestState) => Promise<RequestRow>
}

/** Three migrations; the second one waits at the gate `migration`, inside its transaction. */
export const gatedMigrations = {
  '20261121090000_first': tallying('20261121090000_first', 'ALTER TABLE "orders" ADD COLUMN "gift" text;'),
  '20261121091000_gated': tallying('20261121091000_gated', 'ALTER TABLE "orders" ADD COLUMN "wrapping" text;', waitAt('migration')),
  '20261121092000_last': tallying('20261121092000_last', 'ALTER TABLE "orders" ADD COLUMN "ribbon" text;'),
}

/** The run ends in this state, and no invariant is broken by what is left. */
export const expectEnds = (scene: Scene, id: number, state: RequestState): Promise<RequestRow> => scene.ends(id, state)

export function tallying(name: string, ...statements: readonly string[]): string {
  return [...statements, `INSERT INTO "tally" ("name") VALUES ('${name}');`].join('\n')
}

export function waitAt(gate: string): string {
  return `DO $$ BEGIN WHILE NOT EXISTS (SELECT 1 FROM "gate" WHERE "name" = '${gate}') LOOP PERFORM pg_sleep(0.02); END LOOP; END $$;`
}

/** The bot as a child process, before a database whose migrations tell how often they ran. */
export async function startScene(context: Pick<TestContext, 'onTestFinished'>, options: SceneOptions = {}): Promise<Scene> {
  const migrations = options.migrations ?? gatedMigrations
  const modules = await shopModules()
  let bots: Bots | undefined
  const flow = await startFlow({
    pending: 0,
    orders: 0,
    env: (directory) => ({ TMPDIR: temporary(directory) }),
    launch: launchBots(options.fault === undefined ? {} : { LOCKKEEPER_FAULT: options.fault }, (received) => (bots = received)),
    target: (known) => ({
      source: { repository: known.repository, branch: 'main', install: installCommand(options, known.directory, modules) },
      ...options.target?.(known),
    }),
    async prepare({ repository, database }) {
      const files = Object.entries(migrations).map(([name, sql]) => [`prisma/migrations/${name}/migration.sql`, `${sql}\n`])
      await commitTo(repository, {
        subject: 'Migrations that count themselves',
        files: { ...Object.fromEntries(files), 'package-lock.json': null },
      })
      const client = await connect(database.url)
      await client.query('create table tally (name text not null); create table gate (name text not null)')
      for (const gate of options.gates ?? []) await client.query('insert into gate values ($1)', [gate])
      await client.end()
    },
  })
  const [client, watch] = [await connect(flow.database.url), watchTarget(flow)]
  const undo: (() => Promise<unknown>)[] = [() => client.end(), () => watch.stop()]
  context.onTestFinished(async () => {
    for (const act of undo.splice(0).toReversed()) await act()
    await flow.close()
    endProcessesOf(flow.directory) // what a failed test left, found by its own directory
  })
  const appliedBefore = await appliedIn(flow.database.url)
  if (bots === undefined) throw new Error('no bot was started')
  const all = bots
  const tallied = Object.keys(migrations).filter((name) => migrations[name as keyof typeof migrations].includes('"tally"'))
  return {
    ...flow,
    bots: all,
    first: () => all.all()[0] ?? fail('no bot was started'),
    sql: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
      (await client.query<Row & object>(text, [...values])).rows,
    async asked() {
      const id = await until(
        'a request is written',
        async () => (await flow.store.query<{ id: number }>('select id from lockkeeper.request'))[0]?.id,
      )
      const request = await flow.reaches(id, 'waiting')
      await until('its card can be decided', () => flow.slack.messages(CHANNEL).some((message) => textOf(message).includes('Approve')))
      return request
    },
    open: async (gate) => void (await client.query('insert into gate values ($1)', [gate])),
    async hold(...statements) {
      const holder = await connect(flow.database.url)
      undo.push(() => holder.end())
      await holder.query('begin')
      for (const statement of statements) await holder.query(statement)
      return async () => void (await holder.query('rollback'))
    },
    migrating: () => client.query<{ pid: number }>(MIGRATING).then(({ rows }) => rows),
    dumping: () => client.query<{ pid: number }>(DUMPING).then(({ rows }) => rows),
    partials: () => readdirSync(join(flow.directory, 'backups')).filter((name) => name.endsWith('.partial')),
    async carrier(id) {
      const [row] = await flow.store.query<{ executor: string }>(
        'select executor_id as executor from dbos.workflow_status where workflow_uuid = $1',
        [`request-${id}`],
      )
      return all.all().find((bot) => row?.executor.includes(`-${bot.pid}-`)) ?? fail(`nobody carries #${id}`)
    },
    adopted: async () => (await flow.store.query(`select 1 from lockkeeper.event where kind = 'adopted'`)).length > 0,
    hangs: async () =>
      (await flow.store.query(`select 1 from lockkeeper.step where name = 'install' and details = 'unpacking'`)).length > 0,
    killMigrator() {
      for (const pid of wrappersIn(flow.directory)) process.kill(-pid, 'SIGKILL')
    },
    killWrapper() {
      for (const pid of wrappersIn(flow.directory)) process.kill(pid, 'SIGKILL')
    },
    starts: (id) => attemptsOf(flow.directory, id).length,
    step: async (id, name, state) =>
      void (await until(`step ${name} of #${id} is ${state}`, async () => {
        const rows = await flow.store.query('select 1 from lockkeeper.step where request_id = $1 and name = $2 and state = $3', [
          id,
          name,
          state,
        ])
        return rows.length > 0
      })),
    async ends(id, state) {
      const request = await flow.reaches(id, ['succeeded', 'failed', 'cancelled', 'needs_human'])
      const evidence = await gather(flow, id, {
        samples: watch.samples,
        appliedBefore,
        tallied,
        bots: () =>
          all
            .all()
            .filter((bot) => bot.isAlive())
            .map((bot) => bot.pid),
      })
      const found = { state: request.state, broken: violations(evidence) }
      if (found.state !== state || found.broken.length > 0) console.error(request.outcome, flow.log().slice(-6_000))
      expect(found).toEqual({ state, broken: [] })
      return request
    },
  }
}

const MIGRATING = `
select pid from pg_stat_activity where datname = current_database() and application_name ~ '^lockkeeper-[0-9]+-[0-9a-f]{8}$' and query like '%gate%'`

const DUMPING = `
select pid from pg_stat_activity where datname = current_database() and application_name ~ '^lockkeeper-backup-[0-9]+$' and wait_event_type = 'Lock'`

const linked = (modules: string) => ['ln', '-s', modules, 'node_modules']

function installCommand(options: SceneOptions, directory: string, modules: string): readonly string[] {
  if (options.install === undefined) return linked(modules)
  const begun = join(directory, 'begun')
  return ['sh', '-c', `if [ -e ${begun} ]; then exec ${linked(modules).join(' ')}; fi; touch ${begun}; sleep 600 & echo unpacking; wait`]
}

function fail(what: string): never {
  throw new Error(what)
}
