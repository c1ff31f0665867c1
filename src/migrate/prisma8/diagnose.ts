import { join } from 'node:path'
import { code } from '../../lib/text/code.ts'
import { escapeMarkup } from '../../lib/text/escape.ts'
import { list, seconds } from '../../lib/text/sentences.ts'
import { oneLine } from '../../lib/text/text.ts'
import { emitAgain } from '../../plan/prisma8/repository.ts'
import type { Operation } from '../../plan/prisma8/package.ts'
import { diagnose, type Diagnosis, type DiagnosisContext } from '../diagnoses/diagnosis.ts'
import { linesOf, readAnswer, type RunnerFault } from './output.ts'
import type { RunnerWork } from './work.ts'

export type RunnerDiagnosis = Diagnosis & {
  /** The package whose operation ended it; null when none had begun. */
  readonly failed: string | null
}

/** What an end of `db migrate` that is none means and what to do next. Where the database said why, in the words of the catalogue. */
export function diagnoseRunner(
  work: Pick<RunnerWork, 'context' | 'workspace'>,
  said: string,
  more: Pick<DiagnosisContext, 'blocker' | 'tries'> = {},
): RunnerDiagnosis {
  // people need not see where the layout is
  const output = said.replaceAll(`${join(work.context.directory, 'layout')}/`, '')
  const fault = faultIn(output)
  const at = fault === null ? null : operationAt(work, fault)
  const excerpt = fault === null ? lastLines(output) : linesOf(fault).join('\n').slice(0, 1_500)
  const failed = at?.package ?? null
  const own = fault === null ? SILENT : (ownWords(work, fault) ?? heldWords(work, fault, more))
  if (own !== null) return { ...own, excerpt, failed }
  const told = asServerSays(fault, output, failed)
  const diagnosis = diagnose({
    output: told.text,
    ...(told.sqlState === null ? {} : { sqlState: told.sqlState }),
    context: { ...contextOf(work, failed, at?.operation.execute.map(({ sql }) => sql).join(';\n') ?? null), ...more },
  })
  const next =
    SPEAKS_OF_FILES.has(diagnosis.code) && failed !== null
      ? correcting(work, failed)
      : diagnosis.next.replace(': what has run is kept and not repeated.', '.') // nothing has
  return { ...diagnosis, next, excerpt, failed }
}

/** Diagnoses whose next step is one with `migration.sql` or with the record of Prisma 5 to 7. */
const SPEAKS_OF_FILES: ReadonlySet<string> = new Set([
  'already_exists',
  'concurrently_in_transaction',
  'does_not_exist',
  'ends_transaction',
  'enum_value_too_new',
  'others_depend',
  'pending_trigger_events',
  'refused_statement',
  'syntax',
])

const correcting = ({ workspace }: Pick<RunnerWork, 'workspace'>, name: string): string =>
  `Bring the database to where the migration begins, or correct its ${code('migration.ts')}, write the package anew (${emitAgain(workspace.files, name)}) and commit it. Then ask again.`

function faultIn(output: string): RunnerFault | null {
  const answer = readAnswer(output)
  return answer?.kind === 'fault' ? answer : null
}

function operationAt(
  { workspace }: Pick<RunnerWork, 'workspace'>,
  { operationId, sql }: RunnerFault,
): { readonly package: string; readonly operation: Operation } | null {
  const all = workspace.approved.flatMap(({ name, operations }) => operations.map((operation) => ({ package: name, operation })))
  const named = all.filter(({ operation }) => operation.id === operationId)
  const [only] = named
  if (named.length === 1 && only !== undefined) return only
  // two packages may have an operation of the same name
  const holding = named.filter(({ operation: { precheck, execute, postcheck } }) =>
    [...precheck, ...execute, ...postcheck].some((step) => step.sql === sql),
  )
  return holding.length === 1 ? (holding[0] ?? null) : null
}

const SILENT = {
  code: 'no_answer',
  headline: 'Prisma ended without saying why.',
  why: 'It was ended from outside, or something that its configuration loads ended it. The lines below are its last.',
  next: 'Look at the log in the thread and at what else ends programs on that machine (memory, a supervisor). Then ask again.',
} as const

type Words = Pick<Diagnosis, 'code' | 'headline' | 'why' | 'next'>

/** What is Prisma's own; null for what the database said. */
function ownWords(work: Pick<RunnerWork, 'workspace' | 'context'>, fault: RunnerFault): Words | null {
  const says = `Prisma says: ${escapeMarkup(oneLine(fault.summary))}${/[.!?]$/.test(fault.summary) ? '' : '.'}`
  if (fault.code === 'MIGRATION.RUNNER_FAILED' && fault.issues.length > 0)
    return {
      code: 'other_result',
      headline: 'What the migrations made is not what the contract describes.',
      why: `At the end Prisma compared the database with the contract and found ${list(fault.issues.slice(0, 5).map(code))}. The database had something of that name already, or a package does not do what its contract says.`,
      next: `Compare that with the database. Change what is there by hand, or correct the migration, commit it and ask again.`,
    }
  if (fault.code === 'MIGRATION.RUNNER_FAILED' && fault.sqlState === null && fault.operationId !== null) {
    const at = operationAt(work, fault)
    const label = at === null ? code(fault.operationId) : `${code(oneLine(at.operation.label))} of ${code(at.package)}`
    return {
      code: 'check_failed',
      headline: `A check of the operation ${label} was not true.`,
      why: `Each operation looks before and after whether the database is as it must be. ${says}`,
      next: 'Look at that in the database: somebody changed it by hand, or the migration takes something for granted. Put that right and ask again.',
    }
  }
  if (fault.code.startsWith('CLI.CONFIG') || fault.code.startsWith('CONFIG.'))
    return {
      code: 'configuration',
      headline: `Prisma cannot use the repository's ${code('prisma.config.ts')}.`,
      why: says,
      next: `Correct it, or name what it reads (${code('tool.prisma.urls')} for the URL, ${code('tool.prisma.env')} for the rest), then ask again.`,
    }
  if (fault.code.startsWith('MIGRATION.') && fault.code !== 'MIGRATION.RUNNER_FAILED')
    return {
      code: 'not_accepted',
      headline: 'Prisma does not accept what was approved.',
      why: says,
      next: `Run ${code('npx prisma migration check')} on that commit, correct what it names, commit it and ask again.`,
    }
  return null
}

/** The wait for its lock, or for its record, ends by our lock_timeout before any operation has begun. */
function heldWords(
  { workspace, context }: Pick<RunnerWork, 'workspace' | 'context'>,
  { operationId, why }: RunnerFault,
  { blocker }: Pick<DiagnosisContext, 'blocker'>,
): Words | null {
  if (operationId !== null || why === null || !why.endsWith('canceling statement due to lock timeout')) return null
  const holder = blocker === undefined ? 'somebody else' : blocker.name
  return {
    code: 'migrator_lock_held',
    headline: `Another session holds Prisma's migration lock or its record on ${code(workspace.parsed.database)}, so nothing was started.`,
    why: `Before its first operation Prisma 8 takes an advisory lock and reads ${code('prisma_contract')}. It waited ${seconds(context.target.database.lockTimeout)} for one of them, which ${holder} holds.`,
    next: 'Wait until that session has ended, or find out whose it is and end it; then ask again. Nothing was changed.',
  }
}

/** As the catalogue of diagnoses reads it. */
function asServerSays(
  fault: RunnerFault | null,
  output: string,
  migration: string | null,
): { readonly text: string; readonly sqlState: string | null } {
  if (fault === null) return { text: output, sqlState: null }
  const message = (fault.why ?? fault.summary).replace(/^Unexpected error during migrate: /, '')
  const sqlState = /^[0-9A-Z]{5}$/.test(fault.sqlState ?? '') ? fault.sqlState : null
  // a message of the network is no one of the server
  const head = isOfServer(fault, message) ? 'ERROR: ' : 'Error: '
  const lines = [
    `${head}${message}`,
    ...(fault.detail === null ? [] : [`DETAIL: ${fault.detail}`]),
    ...(migration === null ? [] : ['', `Migration name: ${migration}`]),
  ]
  return { text: lines.join('\n'), sqlState }
}

const isOfServer = ({ sqlState }: RunnerFault, message: string): boolean =>
  sqlState === null ? !/^(connect |getaddrinfo |Connection |read |write )/.test(message) : /^[0-9A-Z]{5}$/.test(sqlState)

const lastLines = (output: string): string => output.trim().split('\n').slice(-5).join('\n').slice(-1_000)

function contextOf(
  { context, workspace }: Pick<RunnerWork, 'context' | 'workspace'>,
  migration: string | null,
  sql: string | null,
): DiagnosisContext {
  return {
    migration,
    target: context.target.title,
    database: workspace.parsed.database,
    host: workspace.parsed.host,
    port: workspace.parsed.port,
    role: workspace.parsed.user,
    lockTimeoutMs: context.target.database.lockTimeout,
    statementTimeoutMs: context.target.database.statementTimeout,
    tool: { name: 'Prisma 8', record: null },
    recordsNothing: true,
    sqlOf: (name) => (name === migration && sql !== null ? context.redactor.text(sql) : null),
  }
}
