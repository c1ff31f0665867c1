import type { RequestState } from '../../src/request/request.ts'
import type { Bot } from '../helpers/bots.ts'
import { CHANNEL } from '../helpers/channel.ts'
import { until } from '../helpers/until.ts'
import type { CommitFault } from './proxy.ts'
import type { Scene } from './scene.ts'

/**
 * Where a request can be hit. It is held there while the fault is done to it: before the command is typed, while it waits for a decision,
 * before the approval is clicked, while pg_dump waits for a table, inside the transaction of the second migration, in the deploy step,
 * and while the health check has not yet succeeded.
 */
export const moments = ['asking', 'waiting', 'voting', 'dumping', 'migrating', 'deploying', 'probing'] as const
export type Moment = (typeof moments)[number]

export type Kind = 'process' | 'store' | 'target' | 'backup' | 'Slack' | 'deploy'

export type Fault = {
  readonly name: string
  readonly kind: Kind
  readonly at: readonly Moment[]
  /** What it cannot do without. */
  readonly needs?: 'own store' | 'store on a small disk' | 'own target' | 'small disk'
  /** Something that bots have to agree on: the tests do it to three of them, the rest to one. `npm run faults -- --all` does all to both. */
  readonly isShared?: true
  /** How long it lasts before it is put right; at once when left out. */
  readonly lastsMs?: number
  /** Does it, and gives what puts it right; null when there was nothing to hit. `id` is null before there is a request. */
  readonly inject: (scene: Scene, id: number | null, at: Moment) => Promise<Heal | null>
  /** How a run may end that met it there. */
  readonly ends?: (at: Moment) => readonly RequestState[]
}

/** Puts right what the fault did. */
export type Heal = () => Promise<void>

/** What a run ends as that met nothing that a person must look at. */
export const UNHURT: readonly RequestState[] = ['succeeded']

const ANY: readonly Moment[] = moments
const RUNNING: readonly Moment[] = ['dumping', 'migrating', 'deploying', 'probing']
const nothing: Heal = async () => {}

/** A deploy step that was cut off may have done anything; everything else is looked at and goes on. */
const interrupted = (at: Moment): readonly RequestState[] => (at === 'deploying' ? ['needs_human', 'succeeded'] : UNHURT)

const processes: readonly Fault[] = [
  {
    name: 'kill -9 of the bot that carries the run',
    kind: 'process',
    isShared: true,
    at: ['waiting', ...RUNNING],
    ends: interrupted,
    async inject(scene, id) {
      const bot = await carrierOf(scene, id)
      if (bot === undefined) return null
      await bot.kill()
      return nothing
    },
  },
  {
    name: 'kill -9 of every bot at once',
    kind: 'process',
    at: ['waiting', ...RUNNING],
    ends: interrupted,
    async inject(scene) {
      await Promise.all(scene.living().map((bot) => bot.kill()))
      return () => up(scene)
    },
  },
  {
    name: 'SIGTERM to one after another, each replaced first',
    kind: 'process',
    isShared: true,
    at: ['waiting', ...RUNNING],
    async inject(scene) {
      const old = scene.living()
      for (const bot of old) {
        scene.retired.add(bot)
        await scene.bots.start()
      }
      const stopping = Promise.all(old.map((bot) => bot.stop()))
      return async () => {
        scene.finish() // they wait for a deploy step
        await stopping
      }
    },
  },
  {
    name: 'SIGSTOP past the adoption, then SIGCONT',
    kind: 'process',
    isShared: true,
    at: ['waiting', 'dumping', 'migrating', 'deploying'],
    ends: interrupted,
    async inject(scene, id, at) {
      const frozen = await carrierOf(scene, id)
      if (frozen === undefined) return null
      if (scene.living().length === 1) await scene.bots.start()
      frozen.freeze()
      if (at !== 'waiting')
        await until('another bot carries the run', async () => {
          const now = await carrierOf(scene, id)
          return now !== undefined && now !== frozen
        })
      return async () => frozen.thaw()
    },
  },
  {
    name: 'kill -9 of the migrator’s wrapper alone',
    kind: 'process',
    at: ['migrating'],
    async inject(scene) {
      scene.killWrapper()
      return nothing
    },
  },
  {
    name: 'kill -9 of the migrator and its wrapper',
    kind: 'process',
    isShared: true,
    at: ['migrating'],
    // its session lives on until the gate opens, and nobody wrote how it ended
    ends: () => ['needs_human'],
    async inject(scene) {
      scene.killMigrator()
      return nothing
    },
  },
]

const commitFault = (name: string, fault: CommitFault, times: number): Fault => ({
  name,
  kind: 'store',
  at: ANY,
  lastsMs: 3_000,
  async inject(scene) {
    const armed = scene.proxies.store.onCommit(fault, { times })
    return async () => {
      armed.disarm()
      if (armed.hits() === 0) throw new NothingHit()
    }
  },
})

const storeFaults: readonly Fault[] = [
  {
    name: 'the store crashes and recovers, twice',
    kind: 'store',
    isShared: true,
    at: ANY,
    needs: 'own store',
    async inject(scene) {
      const server = scene.servers.store
      if (server === undefined) return null
      for (const round of [1, 2]) {
        await server.crash()
        await pause(round * 500)
        await server.start()
        if (round === 1) await pause(5_000)
      }
      return nothing
    },
  },
  {
    name: 'nobody listens at the store for some seconds',
    kind: 'store',
    at: ['waiting', ...RUNNING],
    lastsMs: 4_000,
    inject: (scene) => scene.proxies.store.refuse(),
  },
  {
    name: 'every connection to the store is cut',
    kind: 'store',
    at: ANY,
    inject: async (scene) => (scene.proxies.store.cut() > 0 ? nothing : null),
  },
  {
    name: 'the sessions that prove the bots alive are ended',
    kind: 'store',
    isShared: true,
    at: ['waiting', ...RUNNING],
    inject: (scene) => terminate(scene, `application_name = 'lockkeeper-alive'`),
  },
  {
    name: 'the sessions that listen for signals are ended',
    kind: 'store',
    isShared: true,
    at: ['waiting', 'voting', ...RUNNING],
    inject: (scene) => terminate(scene, `query ilike 'listen%'`),
  },
  {
    name: 'the connections to the store are half-open',
    kind: 'store',
    isShared: true,
    at: ['waiting', ...RUNNING],
    lastsMs: 8_000,
    inject: async (scene) => scene.proxies.store.halfOpen(),
  },
  {
    name: 'the store answers slowly',
    kind: 'store',
    at: ANY,
    lastsMs: 4_000,
    inject: async (scene) => scene.proxies.store.delay(40),
  },
  commitFault('orders to commit are lost', 'lost order', 3),
  commitFault('commits are carried out and their answers lost', 'lost answer', 3),
  commitFault('commits are acknowledged late', { lateByMs: 1_500 }, 3),
  {
    name: 'the disk of the store is full',
    kind: 'store',
    at: ['waiting', ...RUNNING],
    needs: 'store on a small disk',
    lastsMs: 3_000,
    async inject(scene) {
      const disk = scene.servers.store?.disk
      if (disk === undefined) return saidToBeFull(scene)
      await withoutRoom(scene)
      await disk.fill()
      const before = disk.refusals()
      await scene.slack.as('U0CAROL').command(CHANNEL, '/migrate status prod') // whatever is asked is noted first
      return async () => {
        const isHit = await until('PostgreSQL refuses something', () => disk.refusals() > before).catch(() => false)
        await disk.empty()
        if (!isHit) throw new NothingHit()
      }
    },
  },
  {
    name: 'the disk of the store is full, and so is its log',
    kind: 'store',
    at: ['waiting', ...RUNNING],
    needs: 'store on a small disk',
    lastsMs: 3_000,
    async inject(scene) {
      const server = scene.servers.store
      if (server === undefined) return null
      if (server.disk === undefined) {
        await server.crash() // which is what it comes to
        return server.start
      }
      await server.disk.fill()
      await server.disk.exhaustLog()
      return server.disk.empty
    },
  },
  {
    name: 'the store has no connection left',
    kind: 'store',
    at: ['waiting', ...RUNNING],
    lastsMs: 4_000,
    async inject(scene) {
      const [{ name } = { name: '' }] = await scene.store.query<{ name: string }>('select current_database() as name')
      await scene.store.query(`alter database "${name}" connection limit 0`)
      await terminate(scene, 'true')
      return async () => void (await scene.store.query(`alter database "${name}" connection limit -1`))
    },
  },
]

/** With the store the proof that this process lives is lost, and a deploy step that is cut off for that needs a person. */
const stores: readonly Fault[] = storeFaults.map((fault) => ({ ...fault, ends: interrupted }))

/** Whatever came of it, it is either all there or said to be unclear. */
const unreachable = (at: Moment): readonly RequestState[] =>
  at === 'migrating'
    ? ['succeeded', 'failed', 'needs_human']
    : at === 'deploying'
      ? ['succeeded', 'failed', 'needs_human']
      : ['succeeded', 'failed']

const targets: readonly Fault[] = [
  {
    name: 'the target cannot be reached for some seconds',
    kind: 'target',
    at: ['dumping', 'migrating'],
    lastsMs: 3_000,
    ends: unreachable,
    inject: (scene) => scene.proxies.target.refuse(),
  },
  {
    name: 'every connection to the target is cut',
    kind: 'target',
    at: RUNNING,
    ends: unreachable,
    inject: async (scene) => (scene.proxies.target.cut() > 0 ? nothing : null),
  },
  {
    name: 'every session of the bot and its migrator in the target is ended',
    kind: 'target',
    at: RUNNING,
    ends: unreachable,
    async inject(scene) {
      const ended = await scene.sql(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'lockkeeper-%'`,
      )
      return ended.length > 0 ? nothing : null
    },
  },
  {
    name: 'the target restarts',
    kind: 'target',
    at: ['dumping', 'migrating'],
    needs: 'own target',
    ends: unreachable,
    async inject(scene) {
      const server = scene.servers.target
      if (server === undefined) return null
      await server.crash()
      await server.start()
      return nothing
    },
  },
  {
    name: 'a long reader holds the table',
    kind: 'target',
    at: ['dumping'],
    ends: () => ['succeeded', 'failed'],
    inject: (scene) => outlasting(scene, 'select count(*) from orders'),
  },
  {
    name: 'somebody holds Prisma’s lock',
    kind: 'target',
    at: ['dumping'],
    ends: () => ['succeeded', 'failed'],
    inject: (scene) => outlasting(scene, 'select pg_advisory_xact_lock(72707369)'),
  },
  {
    name: 'somebody migrates it by hand after the approval',
    kind: 'target',
    at: ['dumping'],
    ends: () => ['failed'],
    async inject(scene) {
      await scene.sql(
        `insert into _prisma_migrations (id, checksum, finished_at, migration_name, started_at, applied_steps_count)
         values (gen_random_uuid()::text, 'f', now(), '20261119000000_by_hand', now() - interval '1 minute', 1)`,
      )
      scene.allow('20261119000000_by_hand')
      return nothing
    },
  },
]

const backups: readonly Fault[] = [
  {
    name: 'the disk of the backups is full',
    kind: 'backup',
    at: ['waiting'],
    needs: 'small disk',
    ends: () => ['failed'],
    async inject(scene) {
      scene.disk?.fill(2_000)
      return scene.disk === undefined ? null : nothing // it stays full: the run ends before anything else
    },
  },
]

const BRIEFLY = 2_500

const slacks: readonly Fault[] = [
  {
    name: 'Slack limits (429 with Retry-After)',
    kind: 'Slack',
    at: ANY,
    async inject(scene, _id, at) {
      // who may approve is asked of Slack too; a limit there refuses the click, which people press again
      const methods = ['chat.postMessage', 'chat.update', ...(at === 'voting' ? ['views.open'] : [])]
      const fault = scene.slack.fault({ kind: 'ratelimited', retryAfter: 1, methods, times: 4 })
      await pause(1_500)
      return async () => fault.clear()
    },
  },
  ...(['http_500', 'connection_cut'] as const).map((how): Fault => ({
    name: how === 'http_500' ? 'Slack answers 500' : 'Slack cannot be reached',
    kind: 'Slack',
    at: ['waiting', ...RUNNING],
    lastsMs: BRIEFLY,
    async inject(scene) {
      const fault = scene.slack.fault({ kind: 'outage', how, untilCleared: true })
      return async () => fault.clear()
    },
  })),
  {
    name: 'Slack carries out and its replies are lost',
    kind: 'Slack',
    isShared: true,
    at: ANY,
    async inject(scene) {
      const fault = scene.slack.fault({ kind: 'lost-reply', methods: ['chat.postMessage', 'chat.update'], times: 3 })
      await pause(1_500)
      return async () => fault.clear()
    },
  },
  {
    name: 'the channel is archived',
    kind: 'Slack',
    at: RUNNING,
    lastsMs: BRIEFLY,
    async inject(scene) {
      scene.slack.archive(CHANNEL)
      return async () => scene.slack.unarchive(CHANNEL)
    },
  },
  {
    name: 'the bot’s token is revoked',
    kind: 'Slack',
    at: ['waiting', ...RUNNING],
    lastsMs: BRIEFLY,
    async inject(scene) {
      scene.slack.revokeToken('bot')
      return async () => scene.slack.restoreToken('bot')
    },
  },
  {
    name: 'Slack takes the token for wrong (invalid_auth)',
    kind: 'Slack',
    at: ['waiting', ...RUNNING],
    lastsMs: BRIEFLY,
    async inject(scene) {
      const fault = scene.slack.fault({ kind: 'error', error: 'invalid_auth', untilCleared: true })
      return async () => fault.clear()
    },
  },
  ...(['twice', 'everywhere'] as const).map((how): Fault => ({
    name: how === 'twice' ? 'what people do is delivered twice' : 'what people do is delivered to every connection',
    kind: 'Slack',
    ...(how === 'everywhere' ? { isShared: true as const } : {}),
    at: ['asking', 'voting'],
    async inject(scene) {
      scene.slack.deliveries.repeat(how, 3)
      return nothing
    },
  })),
  {
    name: 'what people do is delivered in another order',
    kind: 'Slack',
    isShared: true,
    at: ['asking', 'voting'],
    async inject(scene) {
      const held = scene.slack.deliveries.hold()
      const said = [
        scene.slack.as('U0CAROL').command(CHANNEL, '/migrate status prod'),
        scene.slack.as('U0DAVE').command(CHANNEL, '/migrate help'),
      ]
      await until('both are held', () => held.held() === 2)
      held.release('reversed')
      await Promise.all(said)
      return nothing
    },
  },
  {
    name: 'Slack drops the sockets',
    kind: 'Slack',
    at: ANY,
    async inject(scene) {
      scene.slack.socket.drop()
      return nothing
    },
  },
]

const deploys: readonly Fault[] = [
  {
    name: 'health answers one time in three',
    kind: 'deploy',
    at: ['probing'],
    lastsMs: 2_000,
    ends: () => ['succeeded', 'failed'],
    async inject(scene) {
      const before = scene.health.hits
      const timer = setInterval(() => (scene.health.status = scene.health.hits % 3 === 0 ? 200 : 503), 1)
      return async () => {
        await until('it is probed again', () => scene.health.hits > before).finally(() => clearInterval(timer))
      }
    },
  },
  {
    name: 'the step exits with 0 and the application is dead',
    kind: 'deploy',
    at: ['deploying'],
    ends: () => ['failed'],
    async inject(scene) {
      scene.health.status = 500
      scene.keepHealth()
      return nothing
    },
  },
]

export const catalogue: readonly Fault[] = [...processes, ...stores, ...targets, ...backups, ...slacks, ...deploys]

/** It was armed, and nothing came by that it could have hit. */
export class NothingHit extends Error {}

async function carrierOf(scene: Scene, id: number | null): Promise<Bot | undefined> {
  if (id === null) return undefined
  const [row] = await scene.store.query<{ executor: string }>(
    `select executor_id as executor from dbos.workflow_status where workflow_uuid = $1 and status = 'PENDING'`,
    [`request-${id}`],
  )
  return scene.living().find((bot) => row?.executor.includes(`-${bot.pid}-`))
}

/** Holds it until the migrator wants it too. Not waited for: as long as the dump is held, a reader cannot read either. */
async function outlasting(scene: Scene, statement: string): Promise<Heal> {
  const held = scene.hold(statement)
  void held.then((release) => pause(6_000).then(release)).catch(() => {}) // the server was made to crash, or the scene is over: it is held no longer
  return nothing
}

/** Each table of the store takes the next row into a page of its own, as a table does that has grown to the end of its pages. */
async function withoutRoom(scene: Scene): Promise<void> {
  await scene.store.query(`do $$ declare one record; begin
    for one in select schemaname, tablename from pg_tables where schemaname in ('lockkeeper', 'dbos') loop
      execute format('alter table %I.%I set (fillfactor = 10)', one.schemaname, one.tablename);
    end loop; end $$`)
}

/** Where no small disk can be mounted: PostgreSQL's own code and words for it, by triggers. */
async function saidToBeFull(scene: Scene): Promise<Heal> {
  await scene.store.query(`create function public.full_disk() returns trigger language plpgsql as
    $$ begin raise exception 'could not extend file "base/1/2": No space left on device' using errcode = '53100'; end $$`)
  await scene.store.query(`do $$ declare one record; begin
    for one in select schemaname, tablename from pg_tables where schemaname in ('lockkeeper', 'dbos') loop
      execute format('create trigger full_disk before insert or update on %I.%I execute function public.full_disk()', one.schemaname, one.tablename);
    end loop; end $$`)
  return async () => void (await scene.store.query('drop function public.full_disk() cascade'))
}

async function terminate(scene: Scene, which: string): Promise<Heal | null> {
  const ended = await scene.store.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and ${which}`,
  )
  return ended.length > 0 ? nothing : null
}

const up = async (scene: Scene): Promise<void> => void (await until('the bots are up again', scene.allUp, 60_000))

const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms))
