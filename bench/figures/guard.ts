import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { guardSchema } from '../../src/config/keys/guard.ts'
import { noFigures } from '../../src/guard/figures.ts'
import { makeGuard, type Guard } from '../../src/guard/guard.ts'
import { withObserver, type Observer } from '../../src/guard/observer.ts'
import { sqlState } from '../../src/lib/sqlstate.ts'
import { createDatabase } from '../../test/helpers/postgres.ts'
import { until } from '../../test/helpers/until.ts'
import { atMost, ms, percentile, under, type Bench, type Measurement } from '../figure.ts'

const MIGRATOR = 'lockkeeper-bench-migrator'
const CLIENTS = 20
/** Of each client: a query is late by its timetable, however long the one before it took. */
const EACH_MS = 100

/** A long reader blocks an ALTER, and the application queues behind that; with the guard, and without. */
export const guard: Measurement = {
  figures: [
    { name: 'unguarded-p99-ms', unit: 'ms', aim: null },
    { name: 'guard-p99-ms', unit: 'ms', aim: atMost(2_500) },
    { name: 'guard-ratio', unit: 'times', aim: atMost(0.1) },
    { name: 'guard-cpu', unit: '% of a core', aim: under(3) },
  ],
  async measure(bench) {
    const readerMs = bench.sized({ small: 2_000, full: 40_000 })
    const pauses = bench.sized({ small: [500], full: guardSchema.parse({}).pauses })
    const queueMs = bench.sized({ small: 200, full: guardSchema.parse({}).queue })
    const database = await createDatabase()
    try {
      const stage = await open(database.url)
      await stage.admin.query(
        'create table orders (id serial primary key, total int not null); insert into orders (total) select g from generate_series(1, 1000) g',
      )
      bench.say('without the guard')
      const without = await latencies(stage, readerMs, (alter) => alter())
      bench.say('with it')
      let tries = 0
      const guarded = await latencies(stage, readerMs, (alter) => withGuard(database.url, { queueMs, pauses }, alter, () => tries++))
      bench.say('what it costs')
      const cpu = await costOf(bench, stage, database.url)
      await stage.close()
      const [p99, p99Without] = [percentile(guarded, 99), percentile(without, 99)]
      const what = `${CLIENTS} clients with ${1000 / EACH_MS} queries a second each, a reader of ${ms(readerMs)}`
      return {
        'unguarded-p99-ms': { value: p99Without, note: `${what}, an ALTER without any timeout` },
        'guard-p99-ms': {
          value: p99,
          note: `${what}, guard.queue ${ms(queueMs)}; tried ${tries} times, slowest ${ms(Math.max(...guarded))}`,
        },
        'guard-ratio': { value: p99 / p99Without, note: 'the one over the other; a longer reader makes it smaller' },
        'guard-cpu': cpu,
      }
    } finally {
      await database.close()
    }
  },
}

type Stage = { readonly url: string; readonly admin: pg.Client; readonly shop: readonly pg.Client[]; readonly close: () => Promise<void> }

async function connect(url: string, name: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: name })
  client.on('error', () => {}) // one is ended on purpose; of the others the query fails
  await client.connect()
  return client
}

async function open(url: string): Promise<Stage> {
  const admin = await connect(url, 'bench')
  const shop = await Promise.all(Array.from({ length: CLIENTS }, () => connect(url, 'shop-web')))
  return { url, admin, shop, close: async () => void (await Promise.all([admin, ...shop].map((one) => one.end()))) }
}

/** Milliseconds from when each query was due to its answer, from the ALTER's start to the end of both. */
async function latencies(stage: Stage, readerMs: number, run: (alter: () => Promise<void>) => Promise<void>): Promise<readonly number[]> {
  const reader = await connect(stage.url, 'reporting')
  const migrator = await connect(stage.url, MIGRATOR)
  const found: number[] = []
  const over = new AbortController()
  const began = performance.now()
  const asking = stage.shop.map(async (client, at) => {
    for (let due = began + (at * EACH_MS) / CLIENTS; !over.signal.aborted; due += EACH_MS) {
      await sleep(Math.max(0, due - performance.now()))
      await client.query('update orders set total = total + 1 where id = $1', [at + 1])
      found.push(performance.now() - due)
    }
  })
  await reader.query('begin; select count(*) from orders')
  const altering = run(
    async () => void (await migrator.query('alter table orders add column note text; alter table orders drop column note')),
  )
  await sleep(readerMs)
  await reader.query('rollback')
  await altering
  over.abort()
  await Promise.all(asking)
  await Promise.all([reader.end(), migrator.end()])
  return found
}

/** As a run does: the guard looks, cancels, and after a pause it is tried again. */
async function withGuard(
  url: string,
  { queueMs, pauses }: { readonly queueMs: number; readonly pauses: readonly number[] },
  alter: () => Promise<void>,
  tried: () => void,
): Promise<void> {
  const { every } = guardSchema.parse({})
  await withObserver({ url, applicationName: 'lockkeeper-bench-watch' }, async (observer) => {
    for (let at = 0; ; at++) {
      tried()
      let isOver = false
      const one = guardOf(observer, queueMs, every)
      const watching = watch(one, () => isOver)
      const end = await alter().then(
        () => 'applied' as const,
        (error: unknown) => {
          if (error instanceof pg.DatabaseError && error.code === sqlState.queryCanceled) return 'cancelled' as const
          throw error
        },
      )
      isOver = true
      await watching
      if (end === 'applied') return
      await sleep(pauses[Math.min(at, pauses.length - 1)] ?? 0)
    }
  })
}

const guardOf = (observer: Observer, queueMs: number, everyMs: number): Guard =>
  makeGuard({
    observer,
    applicationName: MIGRATOR,
    limits: { queueMs, lagMs: null, connectionsPercent: null, freeBytes: null },
    everyMs,
    freeBytes: async () => null,
    figures: noFigures,
    beforeCancel: () => {},
    notCancelled: () => {},
    tell: async () => {},
  })

async function watch(one: Guard, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await one.look()
    await sleep(one.pauseMs())
  }
}

/** Of this process and of the guard's session in the server, with a migration at work and a hundred sessions that do nothing. */
async function costOf(bench: Bench, { admin }: Stage, url: string): Promise<{ readonly value: number; readonly note: string }> {
  const forMs = bench.sized({ small: 2_000, full: 20_000 })
  const idle = await Promise.all(Array.from({ length: 100 }, () => connect(url, 'shop-web')))
  const migrator = await connect(url, MIGRATOR)
  const working = migrator.query('begin; lock table orders in access exclusive mode; select pg_sleep(600)').catch(() => {}) // ended below
  await until(
    'the migration works',
    async () => (await admin.query(`select from pg_stat_activity where wait_event = 'PgSleep'`)).rowCount === 1,
  )
  const measured = await withObserver({ url, applicationName: 'lockkeeper-bench-watch' }, async (observer) => {
    const pid = await observer.look(
      async (client) => (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid ?? 0,
    )
    const { every, queue } = guardSchema.parse({})
    const one = guardOf(observer, queue, every)
    await one.look()
    const [ours, theirs] = [process.cpuUsage(), ticksOf(pid)]
    const end = performance.now() + forMs
    await watch(one, () => performance.now() > end)
    const used = process.cpuUsage(ours)
    return { ours: (used.user + used.system) / 1000, theirs: (ticksOf(pid) - theirs) * 10 }
  })
  await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1`, [MIGRATOR])
  await working
  await Promise.all([...idle, migrator].map((client) => client.end().catch(() => {}))) // the migrator's is gone
  const share = ((measured.ours + measured.theirs) / forMs) * 100
  return {
    value: share,
    note: `of it ${((measured.theirs / forMs) * 100).toFixed(1)} in the server; every 250 ms for ${ms(forMs)}, 120 sessions beside it`,
  }
}

/** Hundredths of a second of processor time that a process has taken. */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return Number(fields[11]) + Number(fields[12])
}
