import { parseArgs } from 'node:util'
import { acceptAudit } from '../../src/audit/accept.ts'
import { brokenText, restoredText, auditHealth } from '../../src/audit/health.ts'
import { auditPage, type AuditRow } from '../../src/audit/list.ts'
import { verifyChain } from '../../src/audit/verify.ts'
import type { CheckpointFile } from '../../src/audit/checkpoint.ts'
import { writeAudit } from '../../src/audit/write.ts'
import type { Db } from '../../src/store/pool.ts'
import { asPlainText } from '../../approvals/wording.ts'
import { exitCodes } from '../cli.ts'

export type AuditCommandDeps = {
  readonly db: Db
  readonly checkpointFile: CheckpointFile
  /** The login, and the human that the configuration names for it. */
  readonly account: string
  readonly human: string
  readonly print: (line: string) => void
  readonly complain: (line: string) => void
  /** Milliseconds, for how long it took. */
  readonly now: () => number
}

export const auditUsage = `lockkeeper audit verify                            reads the whole audit log and says whether it is what was written
lockkeeper audit list [--target T] [--request N] [--before SEQ]   the newest rows, 50 at a time
lockkeeper audit accept --reason "…"               lets runs start again after a broken log or a restored store was looked into`

/** What was typed after `lockkeeper audit`, or the sentence that says what is wrong with it. Read before the store is opened. */
export type AuditCommand =
  | { readonly verb: 'verify' }
  | { readonly verb: 'list'; readonly target?: string; readonly requestId?: number; readonly before?: number }
  | { readonly verb: 'accept'; readonly reason: string }

export function parseAudit(words: readonly string[]): AuditCommand | string {
  const read = readWords(words)
  if (typeof read === 'string') return read
  const { verb, values } = read
  if (verb === 'accept') {
    const reason = values['reason']?.trim() ?? ''
    if (reason.length < 10)
      return 'lockkeeper audit accept needs --reason "…": a sentence that says what you looked into and found. It becomes a row of the log.'
    return { verb, reason: reason.slice(0, 1_000) }
  }
  if (verb === 'verify') return { verb }
  const requestId = numberOf(values['request'])
  const before = numberOf(values['before'])
  if (requestId === null || before === null) return `--request and --before take a whole number.\n${auditUsage}`
  return {
    verb,
    ...(values['target'] === undefined ? {} : { target: values['target'] }),
    ...(requestId === undefined ? {} : { requestId }),
    ...(before === undefined ? {} : { before }),
  }
}

const OPTIONS = { verify: [], list: ['target', 'request', 'before'], accept: ['reason'] } as const

function readWords(words: readonly string[]): { readonly verb: keyof typeof OPTIONS; readonly values: Record<string, string> } | string {
  const [typed, ...rest] = words
  if (typed !== 'verify' && typed !== 'list' && typed !== 'accept')
    return `${typed === undefined ? 'lockkeeper audit needs a verb.' : `"${typed}" is no verb of lockkeeper audit.`}\n${auditUsage}`
  try {
    const { values } = parseArgs({
      args: rest,
      options: Object.fromEntries(OPTIONS[typed].map((name) => [name, { type: 'string' as const }])),
    })
    return { verb: typed, values: values as Record<string, string> } // every option of these is a string
  } catch (error) {
    return `${(error as Error).message}\n${auditUsage}`
  }
}

const numberOf = (text: string | undefined): number | undefined | null =>
  text === undefined ? undefined : /^\d{1,15}$/.test(text) ? Number(text) : null

export async function runAudit(command: AuditCommand, deps: AuditCommandDeps): Promise<number> {
  switch (command.verb) {
    case 'verify':
      return verify(deps)
    case 'list':
      return list(deps, command)
    case 'accept':
      return accept(deps, command.reason)
  }
}

/** More than this many rows take long enough to want a sign of life. */
const PROGRESS_ROWS = 100_000

async function verify(deps: AuditCommandDeps): Promise<number> {
  const began = deps.now()
  let shown = 0
  const found = await verifyChain(deps.db, {
    onProgress(rows, of) {
      if (rows - shown < PROGRESS_ROWS) return
      shown = rows
      deps.complain(`${rows} of ${of} rows`)
    },
  })
  const seconds = ((deps.now() - began) / 1_000).toFixed(1)
  await writeAudit(deps.db, {
    actor: deps.account,
    human: deps.human,
    entry: 'cli',
    act: 'audit verify',
    result: found.kind === 'whole' ? 'allowed' : 'audit_broken',
    data: found.kind === 'whole' ? { rows: found.rows, head: found.head.hash } : { seq: found.seq, why: found.why },
  })
  if (found.kind === 'broken') {
    deps.complain(asPlainText(brokenText(found)))
    deps.complain(`lockkeeper audit list --before ${found.seq + 3} shows the rows around it. docs/audit.md says how to look into it.`)
    return exitCodes.refused
  }
  const checkpoint = deps.checkpointFile.read()
  const health = await auditHealth(deps.db, { checkpoint, from: found.head })
  if (health.kind === 'restored') {
    deps.complain(`The chain itself is whole: ${found.rows} rows, head ${found.head.hash}.`)
    deps.complain(asPlainText(restoredText(health)))
    return exitCodes.refused
  }
  deps.print(`The audit log is whole: ${found.rows} rows, read in ${seconds} s.`)
  deps.print(`Head: row ${found.head.seq}, ${found.head.hash}`)
  deps.print(
    checkpoint === null
      ? 'This machine has no checkpoint yet; it gets one when the bot runs here.'
      : `This machine has seen row ${checkpoint.seq} before, and it is still the same.`,
  )
  if (found.accepted > 0)
    deps.print(
      `${found.accepted} ${found.accepted === 1 ? 'break was' : 'breaks were'} looked into and accepted by an operator: lockkeeper audit list shows the rows "audit accept".`,
    )
  return exitCodes.done
}

const PAGE = 50

async function list(deps: AuditCommandDeps, filter: Extract<AuditCommand, { verb: 'list' }>): Promise<number> {
  const rows = await auditPage(deps.db, { ...filter, limit: PAGE + 1 })
  if (rows.length === 0) deps.print('No row fits that.')
  for (const row of rows.slice(0, PAGE)) deps.print(lineOf(row))
  const last = rows[PAGE - 1]
  if (rows.length > PAGE && last !== undefined) deps.print(`Older ones: the same with --before ${last.seq}`)
  return exitCodes.done
}

function lineOf(row: AuditRow): string {
  const who = row.human === null || row.human === row.actor ? row.actor : `${row.actor} (${row.human})`
  const about = [
    row.requestId === null ? '' : `#${row.requestId}`,
    row.target ?? '',
    row.digest === null ? '' : `plan ${row.digest.slice(0, 8)}`,
  ].filter((part) => part !== '')
  const data = JSON.stringify(row.data)
  return [
    String(row.seq).padStart(7),
    row.at.toISOString(),
    `${row.entry} ${who}`,
    `${row.act}: ${row.result}`,
    about.join(' '),
    data === '{}' ? '' : data.length > 200 ? `${data.slice(0, 200)}…` : data,
  ]
    .filter((part) => part !== '')
    .join('  ')
}

async function accept(deps: AuditCommandDeps, reason: string): Promise<number> {
  const { before, after } = await acceptAudit(deps.db, deps.checkpointFile, { actor: deps.account, human: deps.human, reason })
  if (before.kind === 'whole') {
    deps.print('The audit log is whole and the store is the newest that this machine has seen, so there is nothing to accept.')
    return exitCodes.done
  }
  if (after.kind !== 'whole') {
    deps.complain(`It could not be accepted: ${after.why}. Nothing starts meanwhile.`)
    return exitCodes.refused
  }
  deps.print(`Accepted: ${before.kind === 'broken' ? `row ${before.seq}, ${before.why}` : before.why}`)
  deps.print(`The log says so in row ${after.head.seq}, with your reason. Runs start again within a minute.`)
  return exitCodes.done
}
