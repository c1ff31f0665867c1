import { createHash } from 'node:crypto'
import { parseManifest } from '../../backup/manifest.ts'
import { digestOf } from '../../plan/digest.ts'
import type { MigrationFile } from '../../plan/files.ts'
import type { Plan, PlannedMigration } from '../../plan/plan.ts'
import type { Redactor } from '../../redact/redact.ts'
import { redactedDeep } from '../../redact/redact.ts'
import type { Refusal } from '../../lib/refusal.ts'
import { isRefusal } from '../../lib/refusal.ts'
import { endedStates, type RequestRow, type RunOutcome, type StepRow } from '../../request/request.ts'
import type { BackupPart, ChecksPart, EvidenceDocument, HealthPart, MigrationPart, OutputPart, Person, SqlPart } from './document.ts'
import { findingsPart } from './findings.ts'
import { plainText } from './plain.ts'
import type { BackupRow, EvidenceRows } from './rows.ts'
import { timelineOf } from './timeline.ts'

/** What the rows do not say. */
export type Surroundings = {
  readonly title: string
  readonly by: Person
  readonly signer: EvidenceDocument['signer']
  /** The migrations of the approved commit, or why they cannot be read now. */
  readonly files: readonly MigrationFile[] | Refusal
  readonly output: OutputPart
  /** SHA-256 of each backup's `manifest.json`, by its path; null where it cannot be read here. */
  readonly manifests: ReadonlyMap<string, string | null>
  readonly people: EvidenceDocument['people']
  readonly version: string
}

/** Characters of SQL that a bundle carries, of one migration and of all. */
const ONE_SQL = 200_000
const ALL_SQL = 1_000_000

/** Pure: the same rows and surroundings give the same document, to the byte. Everything in it has passed the redactor. */
export function composeEvidence(rows: EvidenceRows, around: Surroundings, redactor: Redactor): EvidenceDocument {
  const { request } = rows
  const raw: Omit<EvidenceDocument, 'migrations' | 'output' | 'signer'> = {
    kind: 'lockkeeper-evidence',
    version: 1,
    store: rows.store,
    exported: {
      at: rows.at.toISOString(),
      by: around.by,
      isFinal: isFinal(request),
    },
    request: requestPart(request, around.title),
    outcome: request.outcome === null ? null : outcomePart(request.outcome),
    plan: planPart(request, redactor),
    policy: request.policy,
    ...findingsPart(rows),
    votes: rows.votes.map((vote) => ({
      by: { account: vote.actor, human: vote.human },
      decision: vote.decision,
      digest: vote.digest,
      counts: vote.digest === request.digest,
      comment: vote.reason,
      at: vote.at.toISOString(),
    })),
    breakGlass: breakGlassPart(request),
    checks: checksPart(rows.steps),
    steps: rows.steps.map(stepPart),
    backups: rows.backups.map((backup) => backupPart(backup, rows.steps, around.manifests)),
    health: healthPart(request.plan, rows.steps),
    timeline: timelineOf(rows),
    tools: toolsPart(rows, around.version),
    people: around.people,
  }
  return {
    ...redactedDeep(redactor, raw),
    signer: around.signer,
    migrations: migrationParts(request, around.files, redactor),
    output: around.output,
  }
}

const isFinal = ({ state, breakGlass }: RequestRow): boolean =>
  (endedStates as readonly string[]).includes(state) &&
  (breakGlass === null || breakGlass.brokenAt === null || breakGlass.reviewedAt !== null)

function breakGlassPart({ breakGlass }: RequestRow): EvidenceDocument['breakGlass'] {
  if (breakGlass === null) return null
  const time = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())
  return {
    reason: breakGlass.reason,
    askedBy: breakGlass.askedBy,
    askedAt: new Date(breakGlass.askedAt).toISOString(),
    digest: breakGlass.digest,
    brokenBy: breakGlass.brokenBy,
    brokenAt: time(breakGlass.brokenAt),
    reviewedBy: breakGlass.reviewedBy,
    reviewedAt: time(breakGlass.reviewedAt),
    note: breakGlass.note,
  }
}

const iso = (date: Date | null): string | null => (date === null ? null : date.toISOString())

const requestPart = (request: RequestRow, title: string): EvidenceDocument['request'] => ({
  id: request.id,
  kind: request.kind,
  target: request.target,
  title,
  state: request.state,
  askedBy: { account: request.requester, human: request.requesterHuman },
  askedAt: request.createdAt.toISOString(),
  askedIn: request.askedIn,
  channel: request.channel,
  reason: request.ask.reason,
  ref: request.ask.ref,
  skipApp: request.ask.skipApp,
  expiresAt: iso(request.expiresAt),
  grantedAt: iso(request.grantedAt),
  startedAt: iso(request.startedAt),
  endedAt: iso(request.endedAt),
  cancelRequested:
    request.cancelRequestedAt === null ? null : { by: request.cancelRequestedBy, at: request.cancelRequestedAt.toISOString() },
})

function outcomePart(outcome: RunOutcome): EvidenceDocument['outcome'] {
  const plain = (text: string | undefined) => (text === undefined ? null : plainText(text))
  return {
    headline: plainText(outcome.headline),
    why: plain(outcome.why),
    next: plain(outcome.next),
    known: plain(outcome.known),
    notKnown: plain(outcome.notKnown),
    excerpt: outcome.excerpt ?? null,
    backup: outcome.backup ?? null,
  }
}

function planPart({ plan, digest, evidence }: RequestRow, redactor: Redactor): EvidenceDocument['plan'] {
  if (plan === null || digest === null) return null
  return {
    digest,
    // judged as it will stand here, so that a reader who computes it finds the same
    isDigestOfContent: digestOf(redactedDeep(redactor, plan)) === digest,
    content: plan,
    subject: evidence?.subject ?? null,
    author: evidence?.author ?? null,
    notes: (evidence?.notes ?? []).map(plainText),
  }
}

function migrationParts(request: RequestRow, files: Surroundings['files'], redactor: Redactor): readonly MigrationPart[] {
  let room = ALL_SQL
  return (request.plan?.list ?? []).map((planned) => {
    const sql = sqlPart(planned, files, redactor, Math.min(room, ONE_SQL))
    if (sql.kind === 'text') room -= sql.text.length
    const review = request.evidence?.migrations.find(({ name }) => name === planned.name)
    return {
      ...redactedDeep(redactor, {
        name: planned.name,
        sha256: planned.sha256,
        bytes: planned.bytes,
        concurrently: planned.concurrently,
        rollbackSha256: planned.rollbackSha256,
        review:
          review === undefined
            ? null
            : {
                class: review.class,
                summary: plainText(review.summary),
                rows: review.rows,
                tables: review.tables,
                findings: (review.findings ?? []).map(plainText),
              },
      }),
      sql,
    }
  })
}

function sqlPart(planned: PlannedMigration, files: Surroundings['files'], redactor: Redactor, room: number): SqlPart {
  if (isRefusal(files)) return { kind: 'missing', why: redactor.text(plainText(files.text)) }
  const file = files.find(({ name }) => name === planned.name)
  if (file === undefined) return { kind: 'missing', why: 'The approved commit has no such migration in its repository now.' }
  const written = file.content.toString('utf8')
  const text = redactor.text(written)
  const shown = text.slice(0, room).toWellFormed()
  const sha256 = createHash('sha256').update(file.content).digest('hex')
  return {
    kind: 'text',
    text: shown,
    sha256,
    isApproved: sha256 === planned.sha256,
    isRedacted: text !== written,
    cut: text.length - shown.length,
  }
}

const dataOf = (steps: readonly StepRow[], name: string): Readonly<Record<string, unknown>> => {
  const data = steps.find((step) => step.name === name)?.data
  return typeof data === 'object' && data !== null ? { ...data } : {}
}

/** Null until the preflight has ended. */
function checksPart(steps: readonly StepRow[]): ChecksPart | null {
  const { checks, names, findings } = dataOf(steps, 'preflight')
  if (typeof checks !== 'number') return null
  return {
    count: checks,
    names: Array.isArray(names) ? names.map(String) : [],
    findings: (Array.isArray(findings) ? findings : []).map((finding: unknown) => {
      const { level, code, text } = finding as Readonly<Record<string, unknown>> // written by the preflight step
      return { level: String(level), code: String(code), text: plainText(String(text)) }
    }),
  }
}

const stepPart = (step: StepRow): EvidenceDocument['steps'][number] => ({
  name: step.name,
  title: step.title,
  state: step.state,
  attempts: step.attempt,
  startedAt: iso(step.startedAt),
  endedAt: iso(step.endedAt),
  seconds: step.startedAt === null || step.endedAt === null ? null : (step.endedAt.getTime() - step.startedAt.getTime()) / 1000,
  output: step.output === null ? null : plainText(step.output),
  details: step.details === null ? null : plainText(step.details),
  data: step.data ?? null,
})

function backupPart(row: BackupRow, steps: readonly StepRow[], manifests: Surroundings['manifests']): BackupPart {
  const manifest = parseManifest(row.manifest)
  const manifestSha256 = manifests.get(row.path) ?? null
  const verified = steps.find(({ name }) => name === 'verify-backup')
  return {
    name: row.name,
    path: row.path,
    state: row.state,
    takenAt: row.createdAt.toISOString(),
    seconds: row.seconds,
    bytes: row.bytes,
    databaseBytes: row.rawBytes,
    files: manifest?.files.length ?? null,
    migrationRecords: manifest?.migrations ?? null,
    forDigest: manifest?.digest ?? null,
    serverVersion: manifest?.serverVersion ?? null,
    clientVersion: manifest?.clientVersion ?? null,
    manifestSha256,
    manifestMissing:
      manifestSha256 === null
        ? 'manifest.json cannot be read on this machine: the backup was pruned, moved, or made on another one.'
        : null,
    verification: {
      isVerified: row.verifiedAt !== null,
      at: iso(row.verifiedAt),
      found: verified?.output == null ? null : plainText(verified.output),
    },
  }
}

function healthPart(plan: Plan | null, steps: readonly StepRow[]): HealthPart | null {
  const probes = (plan?.steps ?? []).filter(({ phase }) => phase === 'health').map(({ settings }) => settings)
  const step = steps.find(({ name }) => name === 'health')
  if (step === undefined) return null
  const { answers } = dataOf(steps, 'health')
  return {
    probes,
    state: step.state,
    output: step.output === null ? null : plainText(step.output),
    answers: (Array.isArray(answers) ? answers : []).map((answer: unknown) => {
      const { url, said } = answer as Readonly<Record<string, unknown>> // written by the health step
      return { url: String(url), said: String(said) }
    }),
  }
}

function toolsPart(rows: EvidenceRows, version: string): EvidenceDocument['tools'] {
  const manifest = rows.backups.map((backup) => parseManifest(backup.manifest)).findLast((found) => found !== undefined)
  const { prisma } = dataOf(rows.steps, 'verify-schema')
  return {
    lockkeeper: version,
    node: process.version,
    prisma: typeof prisma === 'string' ? prisma : null,
    postgresql: manifest?.serverVersion ?? null,
    pgDump: manifest?.clientVersion ?? null,
  }
}
