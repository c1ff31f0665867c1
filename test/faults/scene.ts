import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { expect, type TestContext } from 'vitest'
import type { RequestRow, RequestState } from '../../src/request/request.ts'
import { isUp, launchBots, temporary, type Bot, type Bots } from '../helpers/bots.ts'
import { CHANNEL, startFlow, textOf, type Flow, type FlowOptions } from '../helpers/flow.ts'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'
import { commitTo, shopDatabase, shopModules } from '../helpers/sample.ts'
import { until } from '../helpers/until.ts'
import { formsOf, roleFor, type Role } from './canary.ts'
import { smallDisk, type SmallDisk } from './disk.ts'
import { appliedIn, attemptsOf, backupsIn, connect, endProcessesOf, gather, watchTarget, WITNESS, wrappersIn } from './evidence.ts'
import { violations } from './invariants.ts'
import { startProxy, type Proxy } from './proxy.ts'
import type { OwnServer } from './server.ts'

export type SceneOptions = Pick<FlowOptions, 'target'> & {
  /** How many bots share the work; one unless said. */
  readonly replicas?: number
  /** Servers that may crash, instead of the one of all tests. */
  readonly storeOn?: OwnServer
  readonly targetOn?: OwnServer
  /** The backups lie on a disk of 64 MB. */
  readonly disk?: boolean
  /** A deploy step that notes in `live/runs` that it ran, and ends when `finish` is called. */
  readonly deploy?: 'gated' | 'gated and repeatable'
  /** Each bot that dies is started again, as a service manager does. */
  readonly supervised?: boolean
  /** More variables of the first bot. */
  readonly env?: Readonly<Record<string, string>>
  /** Pending migrations, in order. Each that writes its own name into `tally` is counted. */
  readonly migrations?: Readonly<Record<string, string>>
  /** The failpoint at which the first bot dies. */
  readonly failpoint?: string
  /** The first install starts a process of its own that never ends, and waits for it. */
  readonly install?: 'hangs once'
  /** Gates that are open from the beginning. */
  readonly gates?: readonly string[]
}

export type Scene = Flow & {
  readonly bots: Bots
  /** Everything that the bots say to their store and to the target goes through these. */
  readonly proxies: { readonly store: Proxy; readonly target: Proxy }
  readonly servers: { readonly store?: OwnServer; readonly target?: OwnServer }
  readonly disk: SmallDisk | undefined
  /** A migration that somebody else applied, which is no fault of the run. */
  readonly allow: (migration: string) => void
  /** From now on health is what it is set to, whoever would put it right. */
  readonly keepHealth: () => void
  readonly isHealthKept: () => boolean
  /** Lets the deploy step end, for ever. */
  readonly finish: () => void
  /** How often the deploy step has run. */
  readonly deployed: () => number
  /** Milliseconds until each delivery outside of faults was acknowledged. */
  readonly acknowledged: () => readonly number[]
  /** From now until the returned function is called, nobody expects an answer in time. */
  readonly disturbed: () => () => void
  /** Bots that are not started again when they end. */
  readonly retired: Set<Bot>
  /** How often the target was looked at. */
  readonly watched: () => number
  /** The bots that live. */
  readonly living: () => readonly Bot[]
  /** All that live are up. */
  readonly allUp: () => boolean
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
  /** Whether the health check after the deploy is at work. */
  readonly probing: (id: number) => Promise<boolean>
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
  readonly ends: (id: number, state: RequestState | readonly RequestState[]) => Promise<RequestRow>
  /** Waits until it has come to rest; which invariants are broken. */
  readonly rests: (id: number) => Promise<{ readonly request: RequestRow; readonly broken: readonly string[] }>
  readonly close: () => Promise<void>
}

/** Three migrations; the second one waits at the gate `migration`, inside its transaction. */
export const gatedMigrations = {
  '20261121090000_first': tallying('20261121090000_first', 'ALTER TABLE "orders" ADD COLUMN "gift" text;'),
  '20261121091000_gated': tallying('20261121091000_gated', 'ALTER TABLE "orders" ADD COLUMN "wrapping" text;', waitAt('migration')),
  '20261121092000_last': tallying('20261121092000_last', 'ALTER TABLE "orders" ADD COLUMN "ribbon" text;'),
}

/** The run ends in this state, and no invariant is broken by what is left. */
export const expectEnds = (scene: Scene, id: number, state: RequestState | readonly RequestState[]): Promise<RequestRow> =>
  scene.ends(id, state)

export function tallying(name: string, ...statements: readonly string[]): string {
  return [...statements, `INSERT INTO "tally" ("name") VALUES ('${name}');`].join('\n')
}

export function waitAt(gate: string): string {
  return `DO $$ BEGIN WHILE NOT EXISTS (SELECT 1 FROM "gate" WHERE "name" = '${gate}') LOOP PERFORM pg_sleep(0.02); END LOOP; END $$;`
}

/** The bot as child processes, before a database whose migrations tell how often they ran. Closed when the test has finished. */
export async function startScene(context: Pick<TestContext, 'onTestFinished'>, options: SceneOptions = {}): Promise<Scene> {
  const scene = await openScene(options)
  context.onTestFinished(scene.close)
  return scene
}

export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const undo: (() => Promise<unknown>)[] = []
  try {
    return await build(options, undo)
  } catch (error) {
    for (const act of undo.splice(0).toReversed()) await act()
    throw error
  }
}

async function build(options: SceneOptions, undo: (() => Promise<unknown>)[]): Promise<Scene> {
  const migrations = options.migrations ?? gatedMigrations
  const modules = await shopModules()
  const known: { bots?: Bots; store?: Proxy; target?: Proxy; disk?: SmallDisk; url?: string; isHealthKept?: boolean } = {}
  const canaries: string[] = []
  const later: (() => Promise<unknown>)[] = [] // after the flow and its databases have gone
  undo.push(async () => {
    for (const act of later.toReversed()) await act()
  })
  const proxied = async (database: TestDatabase, role: Role): Promise<readonly [Proxy, string]> => {
    const proxy = await startProxy(database.url)
    later.push(proxy.close)
    const { url, password, drop } = await roleFor(database, role)
    canaries.push(password)
    later.push(drop)
    return [proxy, proxy.through(url)]
  }
  const deploy = options.deploy
  const flow = await startFlow({
    pending: 0,
    orders: 0,
    store: options.storeOn?.create ?? createDatabase, // empty: what is in it belongs to the bot's own role
    ...(options.targetOn === undefined ? {} : { database: () => shopOn(options.targetOn as OwnServer) }),
    async env(directory, { store }) {
      const [proxy, url] = await proxied(store, 'store')
      known.store = proxy
      // three of them start at once, and a third of a start is compiling
      return { TMPDIR: temporary(directory), NODE_COMPILE_CACHE: COMPILED, STORE_URL: url, PROD_DATABASE_URL: known.url ?? '' }
    },
    launch: launchBots(
      { ...options.env, ...(options.failpoint === undefined ? {} : { LOCKKEEPER_FAULT: options.failpoint }) },
      (received) => {
        known.bots = received
      },
    ),
    target(place) {
      if (options.disk === true) {
        const disk = smallDisk(place.directory)
        known.disk = disk
        place.undo(async () => disk.remove())
      }
      return {
        source: { repository: place.repository, branch: 'main', install: installCommand(options, place.directory, modules) },
        ...(deploy === undefined ? {} : { deploy: [gatedStep(place.directory, deploy === 'gated and repeatable')] }),
        ...(known.disk === undefined ? {} : { backup: known.disk.backup }),
        ...options.target?.(place),
      }
    },
    async prepare({ repository, database }) {
      const [proxy, url] = await proxied(database, 'target')
      known.target = proxy
      known.url = url
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
  undo.push(async () => {
    await flow.close()
    endProcessesOf(flow.directory) // what a failed test left, found by its own directory
  })
  const { bots: all, store, target } = known
  if (all === undefined || store === undefined || target === undefined) throw new Error('no bot was started')
  const watch = watchTarget(flow)
  const client = new pg.Pool({ connectionString: flow.database.url, application_name: WITNESS, max: 1 })
  client.on('error', () => {}) // the server may be made to crash
  undo.push(() => client.end(), watch.stop)
  const disturbances: { readonly from: number; to: number }[] = []
  const disturbed = () => {
    const one = { from: performance.now(), to: Number.POSITIVE_INFINITY }
    disturbances.push(one)
    return () => void (one.to = performance.now())
  }
  const supervisor = { ending: new AbortController(), retired: new Set<Bot>() }
  undo.push(async () => supervisor.ending.abort())
  await Promise.all(Array.from({ length: (options.replicas ?? 1) - 1 }, () => all.start()))
  if (options.supervised === true) supervise(all, supervisor.retired, disturbed, supervisor.ending.signal)
  const appliedBefore = [...(await appliedIn(flow.database.url))]
  const tallied = Object.keys(migrations).filter((name) => migrations[name as keyof typeof migrations].includes('"tally"'))
  const deployed = () => {
    const runs = join(flow.directory, 'live', 'runs')
    return existsSync(runs) ? readFileSync(runs, 'utf8').length : 0
  }
  const acknowledged = () =>
    flow.slack.deliveries.log
      .filter(({ startedAt, tookMs }) => disturbances.every(({ from, to }) => startedAt > to || startedAt + tookMs < from))
      .flatMap(({ outcome, tookMs }) => (outcome.kind === 'acked' ? [tookMs] : outcome.kind === 'timeout' ? [3_000] : []))
  const living = () => all.all().filter((bot) => bot.isAlive())
  const rests = async (id: number) => {
    const request = await flow.reaches(id, RESTS)
    const evidence = await gather(flow, id, {
      samples: watch.samples,
      appliedBefore,
      tallied,
      bots: () => living().map((bot) => bot.pid),
      deployed: deploy === 'gated' ? deployed() : null,
      acknowledged: acknowledged(),
      secrets: [...canaries, flow.slack.tokens.bot, flow.slack.tokens.app, flow.slack.tokens.signingSecret].flatMap(formsOf),
    })
    return { request, broken: violations(evidence) }
  }
  return {
    ...flow,
    bots: all,
    proxies: { store, target },
    servers: {
      ...(options.storeOn === undefined ? {} : { store: options.storeOn }),
      ...(options.targetOn === undefined ? {} : { target: options.targetOn }),
    },
    disk: known.disk,
    allow: (migration) => void appliedBefore.push(migration),
    keepHealth: () => void (known.isHealthKept = true),
    isHealthKept: () => known.isHealthKept === true,
    finish: () => writeFileSync(join(flow.directory, 'live', 'finish'), ''),
    deployed,
    acknowledged,
    disturbed,
    retired: supervisor.retired,
    watched: () => watch.samples.length,
    living,
    allUp: () => living().length > 0 && living().every(isUp),
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
    probing: async (id) =>
      (await flow.store.query(`select 1 from lockkeeper.step where request_id = $1 and name = 'health' and state = 'running'`, [id]))
        .length > 0,
    partials: () => readdirSync(backupsIn(flow.directory)).filter((name) => name.endsWith('.partial')),
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
    rests,
    async ends(id, state) {
      const { request, broken } = await rests(id)
      if (![state].flat().includes(request.state) || broken.length > 0) console.error(request.outcome, flow.log().slice(-6_000))
      expect({ state: request.state, broken }).toEqual({
        state: [state].flat().includes(request.state) ? request.state : [state].flat().join(' or '),
        broken: [],
      })
      return request
    },
    async close() {
      for (const act of undo.splice(0).toReversed()) await act()
    },
  }
}

/** Where nothing happens any more without a person. */
const RESTS: readonly RequestState[] = ['succeeded', 'failed', 'cancelled', 'needs_human', 'refused', 'rejected', 'expired']

/** The shop's database on a server of the test's own. */
async function shopOn(server: OwnServer): Promise<TestDatabase> {
  const original = await shopDatabase({ pending: 0 })
  try {
    return await server.create({ copyOf: original.url })
  } finally {
    await original.close()
  }
}

/** As a service manager does: what dies is started again half a second later, in a sound environment. */
function supervise(bots: Bots, started: Set<Bot>, disturbed: () => () => void, signal: AbortSignal): void {
  const timer = setInterval(() => {
    for (const bot of bots.all())
      if (!bot.isAlive() && !started.has(bot)) {
        started.add(bot)
        void again(bots, disturbed(), signal).catch(() => {}) // the scene is over
      }
  }, 50)
  signal.addEventListener('abort', () => clearInterval(timer))
}

async function again(bots: Bots, settled: () => void, signal: AbortSignal): Promise<void> {
  await wait(500, undefined, { signal })
  const next = bots.spawn()
  await until('it is up', () => isUp(next) || !next.isAlive(), 60_000)
  settled()
}

/** Notes that it runs, and ends when it is told so. */
function gatedStep(directory: string, repeatable: boolean) {
  const script =
    'const fs = require("fs"); fs.appendFileSync("runs", "x"); setInterval(() => fs.existsSync("finish") && process.exit(0), 20)'
  return { name: 'Slow switch', cwd: join(directory, 'live'), run: ['node', '-e', script], ...(repeatable ? { repeatable } : {}) }
}

const MIGRATING = `
select pid from pg_stat_activity where datname = current_database() and application_name ~ '^lockkeeper-[0-9]+-[0-9a-f]{8}$' and query like '%gate%'`

const DUMPING = `
select pid from pg_stat_activity where datname = current_database() and application_name ~ '^lockkeeper-backup-[0-9]+$' and wait_event_type = 'Lock'`

const COMPILED = join(import.meta.dirname, '../../.build/compiled')

const linked = (modules: string) => ['ln', '-s', modules, 'node_modules']

function installCommand(options: SceneOptions, directory: string, modules: string): readonly string[] {
  if (options.install === undefined) return linked(modules)
  const begun = join(directory, 'begun')
  return ['sh', '-c', `if [ -e ${begun} ]; then exec ${linked(modules).join(' ')}; fi; touch ${begun}; sleep 600 & echo unpacking; wait`]
}

function fail(what: string): never {
  throw new Error(what)
}
