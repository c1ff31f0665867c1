import { setTimeout as wait } from 'node:timers/promises'
import { DBOS, DBOSClient } from '@dbos-inc/dbos-sdk'
import { openPool, type Db, type Queries, type Tx } from '../store/pool.ts'
import { openSession } from '../store/session.ts'
import type { Log } from '../lib/log.ts'
import { emit } from '../lib/telemetry.ts'
import { adoptFrom } from './adopt.ts'
import { callToQueue, pollQueues, QUEUE_CHANNEL, QUEUE_POLL_MS, slowRecoveries, slowRounds, UNUSED_MS } from './poll-queue.ts'
import { APPLICATION, VERSION } from './names.ts'
import { holdLiveness, LIVENESS_LOCK, type Liveness } from './liveness.ts'

/** What the rest of the house needs: start and signal a request's workflow inside a transaction of its own rows. */
export type Engine = {
  readonly start: (tx: Tx, requestId: number) => Promise<void>
  readonly signal: (tx: Tx, requestId: number, message: Signal, key: string) => Promise<void>
}

export type Signal = { readonly kind: 'decided' | 'cancel' | 'due' }

/** The body of a request's workflow. It must be deterministic: everything with an effect goes through `step`. */
export type WorkflowBody = (requestId: number, durable: Durable) => Promise<void>

export type Durable = {
  /** Checkpointed: after a restart a step that ended gives its recorded value. */
  readonly step: <T>(name: string, act: () => Promise<T>) => Promise<T>
  /** Waits for a signal, or until it is time to look again anyway. */
  readonly nextSignal: () => Promise<void>
}

export type OpenEngine = Engine & {
  readonly liveness: Liveness
  /**
   * Whether this process still owns the request's workflow, as far as the store knows. Asked inside a transaction, it stays so until that
   * ends: nobody can take the run over meanwhile.
   */
  readonly owns: (db: Queries, requestId: number) => Promise<boolean>
  /** Begins to work. What waits in the store is begun at once, perhaps before this resolves; all else here can be used before. */
  readonly run: (body: WorkflowBody) => Promise<void>
  readonly close: () => Promise<void>
}

const QUEUE = 'requests'
const TOPIC = 'request'
const LAUNCH_LOCK = 7342
/** As many as the engine would take by itself; they are opened as they are needed. */
const ENGINE_CONNECTIONS = 10
/** Signals wake a waiting request; this is only for the one that got lost with a restored store. */
const LOOK_AGAIN_SECONDS = 3600

let body: WorkflowBody | undefined

/** Registered once per process, as the engine demands; the body is set at each start. */
const workflow = DBOS.registerWorkflow(
  async (requestId: number) => {
    if (body === undefined) throw new Error('the engine was not started')
    await body(requestId, {
      step: (name, act) => DBOS.runStep(act, { name }),
      nextSignal: async () => void (await DBOS.recv(TOPIC, LOOK_AGAIN_SECONDS)),
    })
  },
  { name: 'request', maxRecoveryAttempts: 1000 },
)

/**
 * Opened first and run afterwards: what a workflow needs of its engine is there before the first workflow is. Until it runs, what is
 * started waits in the store.
 */
export async function openEngine({ db, log }: { readonly db: Db; readonly log: Log }): Promise<OpenEngine> {
  let running: Running | undefined
  const call = { channel: QUEUE_CHANNEL, heard: () => running?.pollQueues() }
  const liveness = await holdLiveness({ storeUrl: db.url, log, call }) // before launch: never run without the lock
  const client = await startClientEngine(db)
  return {
    liveness,
    start: client.start,
    signal: client.signal,
    async owns(queries, requestId) {
      const rows = await queries.query(
        `select 1 from dbos.workflow_status where workflow_uuid = $1 and executor_id = $2 and status = 'PENDING' for share`,
        [workflowId(requestId), liveness.executorId],
      )
      return rows.length > 0
    },
    async run(theBody) {
      body = theBody
      running = await launch({ db, log, liveness })
    },
    async close() {
      await running?.stopSweeping()
      await client.close()
      await running?.shutDown()
      await liveness.close()
    },
  }
}

type Running = {
  readonly pollQueues: () => void
  readonly stopSweeping: () => Promise<void>
  readonly shutDown: () => Promise<void>
}

async function launch(parts: { readonly db: Db; readonly log: Log; readonly liveness: Liveness }): Promise<Running> {
  const { db, log, liveness } = parts
  const pool = openPool(db.url, (error) => log.debug({ error: error.message }, 'an idle connection of the engine broke'), {
    max: ENGINE_CONNECTIONS,
    name: 'lockkeeper-engine',
  })
  DBOS.setConfig({
    name: APPLICATION,
    systemDatabaseUrl: db.url,
    systemDatabasePool: pool,
    executorID: liveness.executorId,
    enablePatching: true,
    runAdminServer: false,
    logLevel: 'error',
    schedulerPollingIntervalMs: UNUSED_MS,
  })
  async function shutDown(): Promise<void> {
    try {
      await DBOS.shutdown()
    } finally {
      await pool.end()
    }
  }
  const queue = await begin(db.url).catch(async (error: unknown) => {
    await shutDown().catch((fault: Error) => log.debug({ error: fault.message }, 'what the engine had begun could not be ended'))
    throw error
  })
  const sweeps = new AbortController()
  const sweeping = sweepForTheDead({ ...parts, signal: sweeps.signal })
  return {
    pollQueues: () => pollQueues(queue, log),
    async stopSweeping() {
      sweeps.abort()
      await sweeping
    },
    shutDown,
  }
}

async function begin(storeUrl: string) {
  slowRounds()
  await alone(storeUrl, () => DBOS.launch())
  slowRecoveries()
  return DBOS.registerQueue(QUEUE, { minPollingIntervalMs: QUEUE_POLL_MS })
}

/** For a process that only starts and signals, such as the command line: a bot with the same store does the work. */
export async function startClientEngine(db: Db): Promise<Engine & { readonly close: () => Promise<void> }> {
  const client = await DBOSClient.create({ systemDatabaseUrl: db.url, applicationName: APPLICATION, systemDatabasePoolSize: 1 })
  return {
    async start(tx, requestId) {
      await client.enqueueInTransaction<typeof workflow>(
        tx.client,
        { workflowName: 'request', queueName: QUEUE, workflowID: workflowId(requestId), appVersion: VERSION },
        requestId,
      )
      await tx.query(callToQueue)
    },
    async signal(tx, requestId, message, key) {
      // the same key twice is ignored; a request that has ended has no workflow to wake
      await tx.query('select dbos.send_message($1, $2::json, $3, $4) from dbos.workflow_status where workflow_uuid = $1', [
        workflowId(requestId),
        JSON.stringify(message),
        TOPIC,
        `${workflowId(requestId)}:${key}`,
      ])
    },
    close: () => client.destroy(),
  }
}

const workflowId = (requestId: number) => `request-${requestId}`

/**
 * Two first launches at once on an empty store die ("tuple concurrently updated"). The lock is polled: a session that waits for it has
 * an open snapshot, and CREATE INDEX CONCURRENTLY in the engine's own schema would wait for that, for ever.
 */
async function alone(url: string, work: () => Promise<void>): Promise<void> {
  const session = await openSession(url, 'lockkeeper-launch', () => {})
  try {
    while (!(await session.query<{ ok: boolean }>('select pg_try_advisory_lock($1::int, 0) as ok', [LAUNCH_LOCK]))[0]?.ok) await wait(200)
    await work()
  } finally {
    await session.close()
  }
}

/** Each second, for ever: whoever has unfinished work but no lock in two sightings is dead, and its work goes on here. */
async function sweepForTheDead(options: {
  readonly db: Db
  readonly log: Log
  readonly liveness: Liveness
  readonly signal: AbortSignal
}): Promise<void> {
  const seenFree = new Set<string>()
  while (!options.signal.aborted) {
    await wait(1_000, undefined, { signal: options.signal }).catch(() => {}) // aborted: the loop ends
    if (options.signal.aborted) return
    if (!options.liveness.isSettled()) seenFree.clear()
    else
      await sweep(options, seenFree).catch((error: Error) =>
        options.log.warn({ error: error.message }, 'looking for dead replicas failed; trying again'),
      )
  }
}

async function sweep(
  { db, log, liveness }: { readonly db: Db; readonly log: Log; readonly liveness: Liveness },
  seenFree: Set<string>,
): Promise<void> {
  const owners = await db.query<{ id: string }>(
    `select distinct executor_id as id from dbos.workflow_status
     where status = 'PENDING' and application_name = $1 and application_version = $2 and executor_id <> $3`,
    [APPLICATION, VERSION, liveness.executorId],
  )
  for (const { id } of owners)
    await db.transaction(async (tx) => {
      // held until the adoption is written, so that only one replica adopts
      const [lock] = await tx.query<{ free: boolean }>('select pg_try_advisory_xact_lock($1::int, hashtext($2)) as free', [
        LIVENESS_LOCK,
        id,
      ])
      if (lock?.free !== true) return void seenFree.delete(id)
      if (!seenFree.has(id)) return void seenFree.add(id)
      const runs = await adoptFrom(id)
      await tx.query(callToQueue)
      tx.afterCommit(() => emit({ kind: 'adopted', runs }))
      seenFree.delete(id)
      log.warn({ from: id, runs }, 'a process died with work unfinished; it goes on here')
    })
}
