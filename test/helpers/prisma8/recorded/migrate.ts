import { join } from 'node:path'
import type pg from 'pg'
import type { Config } from './config.ts'
import { connect, markerOrFault, readMarker, SIGNATURE } from './database.ts'
import { checkHashes, EMPTY, shownEdge, wayBetween, type Check, type Migration, type Operation } from './packages.ts'
import { finish, stepFinished, stepStarted, succeed, type Fault } from './say.ts'
import { failures, issuesOf, readContract } from './schema.ts'
import { UNREACHABLE } from './show.ts'

const COMMAND = 'db.migrate'
const RUNNING = 'Running migration plan across spaces'
const CHECK = [{ kind: 'run-command', label: 'Check every space against the database', command: 'prisma migration status' }]

/** Everything that is pending and the record of it in one transaction. */
export async function migrate(config: Config, migrations: readonly Migration[], to: string): Promise<void> {
  checkHashes(migrations, config.directory)
  const client = await connect(config, 'migrate')
  const from = (await markerOrFault(client))?.core ?? EMPTY
  const way = wayBetween(migrations, from, to)
  if (way === null) return unreachable(from, to)
  if (way.length > 0) stepStarted(COMMAND, RUNNING, 'apply')
  let executed = 0
  try {
    if (way.length > 0) executed = await run(client, config, way)
  } catch (error) {
    if (error instanceof Stopped) {
      await client.query('ROLLBACK').catch(unexpected)
      stepFinished(COMMAND, RUNNING, 'apply', 'failed')
      return finish(COMMAND, error.fault)
    }
    unexpected(error as Error)
  }
  await client.end()
  if (way.length > 0) stepFinished(COMMAND, RUNNING, 'apply', 'ok')
  const operations = way.flatMap((one) => one.operations)
  succeed(
    COMMAND,
    {
      ok: true,
      migrationsApplied: way.length,
      migrationsTotal: way.length,
      markerHash: to,
      applied: way.map((one) => ({ ...shownEdge(one), operationsExecuted: one.operations.length })),
      summary:
        way.length === 0
          ? 'Already up to date'
          : `Applied ${way.length} migration(s) (${executed} operation(s)) across 1 contract space(s)`,
      perSpace: [
        {
          spaceId: 'app',
          kind: 'app',
          operations: operations.map(({ id, label, operationClass }) => ({ id, label, operationClass })),
          marker: { storageHash: to },
        },
      ],
      pathDecision: {
        fromHash: from,
        toHash: to,
        alternativeCount: 0,
        tieBreakReasons: [],
        refName: to,
        requiredInvariants: [],
        satisfiedInvariants: [],
        selectedPath: way.map((one) => {
          const { spaceId: _space, ...edge } = shownEdge(one)
          return { ...edge, invariants: [] }
        }),
      },
      timings: { total: 0 },
      advancedRef: null,
    },
    { nextActions: CHECK },
  )
}

const unexpected = (error: Error): never =>
  finish(COMMAND, {
    code: 'CLI.UNEXPECTED',
    summary: 'Unexpected error',
    why: `Unexpected error during migrate: ${error.message}`,
    nextActions: [{ kind: 'user-choice', label: 'Check the error message and try again' }],
  })

class Stopped extends Error {
  readonly fault: Fault
  constructor(fault: Pick<Fault, 'summary' | 'why'> & { readonly meta: object; readonly runnerErrorCode: string }) {
    super(fault.summary)
    this.fault = {
      code: 'MIGRATION.RUNNER_FAILED',
      summary: fault.summary,
      ...(fault.why === undefined ? {} : { why: fault.why }),
      nextActions: [
        {
          kind: 'user-choice',
          label: 'Fix the issue and re-run `prisma db migrate --to <contract>` — previously applied migrations are preserved.',
        },
      ],
      meta: { ...fault.meta, failingSpace: 'app', runnerErrorCode: fault.runnerErrorCode },
    }
  }
}

/** How many operations were not skipped. */
async function run(client: pg.Client, { directory }: Config, way: readonly Migration[]): Promise<number> {
  await client.query('BEGIN')
  await client.query('select pg_advisory_xact_lock(hashtext($1))', ['prisma_8.contract.marker:public:app'])
  await client.query(SIGNATURE)
  await readMarker(client)
  const performed = new Map<Operation, Operation>()
  for (const { operations } of way)
    for (const operation of operations) performed.set(operation, (await perform(client, operation)) ? operation : skipped(operation))
  const last = way.at(-1)
  if (last === undefined) throw new Error('nothing to run')
  const contractAt = (hash: string) => readContract(join(directory, 'snapshots', hash, 'contract.json'))
  const destination = contractAt(last.to)
  const issues = await issuesOf(client, destination)
  if (issues.length > 0)
    throw new Stopped({
      summary: failures(issues),
      why: 'The resulting database schema does not satisfy the destination contract.',
      meta: { issues },
      runnerErrorCode: 'MIGRATION.SCHEMA_VERIFY_FAILED',
    })
  await client.query(
    `INSERT INTO "prisma_contract"."marker" (space, core_hash, profile_hash) VALUES ('app', $1, $2)
     ON CONFLICT (space) DO UPDATE SET core_hash = excluded.core_hash, profile_hash = excluded.profile_hash, updated_at = now()`,
    [last.to, destination.profileHash],
  )
  for (const one of way) {
    await client.query(
      `INSERT INTO "prisma_contract"."contract" (core_hash, contract_json) VALUES ($1, $2::jsonb) ON CONFLICT DO NOTHING`,
      [one.to, JSON.stringify(contractAt(one.to))],
    )
    await client.query(
      `INSERT INTO "prisma_contract"."ledger" (space, migration_name, migration_hash, origin_core_hash, destination_core_hash, operations)
       VALUES ('app', $1, $2, $3, $4, $5::jsonb)`,
      [one.dirName, one.migrationHash, one.from, one.to, JSON.stringify(one.operations.map((operation) => performed.get(operation)))],
    )
  }
  await client.query('COMMIT')
  return [...performed].filter(([operation, done]) => operation === done).length
}

/** False where it was skipped, since all that it should bring about is there. */
async function perform(client: pg.Client, operation: Operation): Promise<boolean> {
  if (operation.postcheck.length > 0 && (await firstFalse(client, operation.postcheck)) === null) return false
  await check(client, operation, 'precheck')
  for (const { description, sql, params } of operation.execute)
    try {
      await client.query(sql, params === undefined || params.length === 0 ? undefined : [...params])
    } catch (error) {
      const { message, code, detail } = error as Error & { code?: string; detail?: string }
      if (code === undefined) throw error // the connection, not the statement
      throw new Stopped({
        summary: `Operation ${operation.id} failed during execution: ${description}`,
        why: message,
        meta: { operationId: operation.id, stepDescription: description, sql, sqlState: code, ...(detail === undefined ? {} : { detail }) },
        runnerErrorCode: 'MIGRATION.EXECUTION_FAILED',
      })
    }
  await check(client, operation, 'postcheck')
  return true
}

const skipped = (operation: Operation) => ({
  ...operation,
  precheck: [],
  execute: [],
  meta: { runner: { skipped: true, reason: 'postcheck_pre_satisfied' } },
})

async function check(client: pg.Client, operation: Operation, phase: 'precheck' | 'postcheck'): Promise<void> {
  const failed = await firstFalse(client, operation[phase])
  if (failed === null) return
  throw new Stopped({
    summary: `Operation ${operation.id} failed during ${phase}: ${failed.description}`,
    why: 'Migration runner failed',
    meta: { operationId: operation.id, phase, stepDescription: failed.description },
    runnerErrorCode: `MIGRATION.${phase.toUpperCase()}_FAILED`,
  })
}

async function firstFalse(client: pg.Client, checks: readonly Check[]): Promise<Check | null> {
  for (const one of checks) {
    const { rows } = await client.query<Record<string, unknown>>(one.sql, one.params === undefined ? undefined : [...one.params])
    if (Object.values(rows[0] ?? {})[0] !== true) return one
  }
  return null
}

function unreachable(from: string, to: string): never {
  return finish(COMMAND, {
    code: 'MIGRATION.PATH_UNREACHABLE',
    summary: 'Current contract has no planned migration path',
    why: `No migration edge connects the current state "${from}" to the target "${to}" in contract space "app". The on-disk migration graph does not join the two, and migrate replays existing edges — it never invents one.`,
    nextActions: [
      { kind: 'run-command', label: 'Plan the missing edge', command: `prisma migration plan --from ${from} --to ${to} --name <slug>` },
      { kind: 'run-command', label: 'Apply it', command: `prisma db migrate --to ${to}` },
      ...UNREACHABLE,
    ],
    meta: { spaceId: 'app', fromHash: from, targetHash: to, kind: 'pathUnreachable' },
  })
}
