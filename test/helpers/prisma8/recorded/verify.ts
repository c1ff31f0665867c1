import type { Config } from './config.ts'
import { connect, readMarker } from './database.ts'
import { docsOf, stepFinished, stepStarted, succeed } from './say.ts'
import { failures, issuesOf, type Issue } from './schema.ts'

const COMMAND = 'db.verify'

/** The marker, then the live schema against the emitted contract. */
export async function verify(config: Config): Promise<void> {
  const { contract } = config
  const own = { storageHash: contract.storage.storageHash, profileHash: contract.profileHash }
  stepStarted(COMMAND, 'Connecting to database...', 'connect')
  const client = await connect(config, 'db verify', () => stepFinished(COMMAND, 'Connecting to database...', 'connect', 'failed'))
  stepFinished(COMMAND, 'Connecting to database...', 'connect', 'ok')
  stepStarted(COMMAND, 'Verifying database marker...', 'verify')
  const found = await readMarker(client)
  const isOfContract = found?.core === own.storageHash
  stepFinished(COMMAND, 'Verifying database marker...', 'verify', isOfContract ? 'ok' : 'failed')
  const marker = found === null ? null : { storageHash: found.core, profileHash: found.profile }
  const frame = {
    mode: 'full',
    contract: own,
    ...(marker === null ? {} : { marker }),
    target: { expected: 'postgres' },
    codecCoverageSkipped: true,
  }
  const skipped = { meta: { contractPath: '', schemaVerification: 'skipped' }, timings: { total: 0 } }
  if (marker === null)
    differing({ ok: false, summary: 'Marker missing', ...frame, ...skipped }, 'CONTRACT.MARKER_MISSING', 'Database not signed', {
      why: 'No database signature (marker) found',
      nextActions: [{ kind: 'run-command', label: 'Sign the database', command: 'prisma db sign --db <url>' }],
    })
  if (marker.storageHash !== own.storageHash)
    differing({ ok: false, summary: 'Hash mismatch', ...frame, ...skipped }, 'CONTRACT.MARKER_MISMATCH', 'Hash mismatch', {
      why: 'Contract storageHash does not match database marker',
      nextActions: [{ kind: 'user-choice', label: 'Migrate database or re-sign if intentional' }],
      meta: { expected: own.storageHash, actual: marker.storageHash },
    })
  stepStarted(COMMAND, 'Introspecting database schema', 'introspect')
  const issues = await issuesOf(client, contract)
  await client.end()
  stepFinished(COMMAND, 'Introspecting database schema', 'introspect', 'ok')
  stepStarted(COMMAND, 'Verifying contract spaces', 'verify')
  stepFinished(COMMAND, 'Verifying contract spaces', 'verify', 'ok')
  if (issues.length > 0) {
    const said = issues.map(issueText)
    const code = 'CONTRACT.SCHEMA_VERIFICATION_FAILED'
    const summary = failures(issues)
    differing(
      {
        ok: false,
        code,
        summary,
        contract: own,
        target: { expected: 'postgres', actual: 'postgres' },
        schema: { issues, warnings: { issues: [] } },
        meta: { strict: false },
        timings: { total: 0 },
        unclaimed: [],
      },
      code,
      summary,
      {
        why: `The live schema differs: ${said.join(', ')}.`,
        nextActions: [
          { kind: 'run-command', label: 'Push the contract to the database', command: 'prisma db update' },
          { kind: 'user-choice', label: 'Or reconcile the differences by hand and verify again' },
        ],
        meta: { space: 'app', issues: said },
      },
    )
  }
  succeed(COMMAND, {
    ok: true,
    summary: 'Database marker and schema match contract',
    ...frame,
    schema: { summary: 'Database schema satisfies contract', strict: false, warnings: [] },
    unclaimed: [],
    meta: { contractPath: '', schemaVerification: 'performed' },
    timings: { total: 0 },
  })
}

/** Exit code 4: it ran, and the answer is no. */
function differing(
  result: object,
  code: string,
  summary: string,
  { why, nextActions, meta }: { readonly why: string; readonly nextActions: readonly object[]; readonly meta?: object },
): never {
  const diagnostic = { code, severity: 'error', summary, why, nextActions, ...(meta === undefined ? {} : { meta }), docsUrl: docsOf(code) }
  return succeed(COMMAND, result, { exitCode: 4, diagnostics: [diagnostic] })
}

const issueText = ({ path, actual }: Issue): string => `${actual === undefined ? 'missing' : 'mismatch'}: ${path.join('/')}`
