import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { endOf, endProcess, startDetached } from '../../process/detached.ts'
import { isGroupAlive } from '../../process/process-id.ts'
import type { Redactor } from '../../redact/redact.ts'
import { readJson, writeFirstSync, writeWholeSync } from '../../lib/durable-file.ts'

/**
 * One start of the migrator, kept in files so that whoever takes the run over finds it: `attempt.json` (before the start), `claim.json`
 * (the wrapper's process id, or the word of a successor that it shall not start), `output.log` (0600, raw until it has ended) and `exit.json`.
 */
export type Attempt = { readonly number: number; readonly directory: string; readonly intent: AttemptIntent }

const intentShape = z.strictObject({
  /** The migrations of this group, in order. */
  migrations: z.array(z.string()),
  concurrently: z.boolean(),
  /** The transaction id that came next when it started (`xid8` as text): what the catalogue has from later ones is this attempt's. */
  sinceXid: z.string(),
  /** Milliseconds since the epoch, by this machine's clock. */
  startedAt: z.number(),
  /** Whether this engine sends a file as one script. */
  atomic: z.boolean(),
})
export type AttemptIntent = z.output<typeof intentShape>

const exitShape = z.object({ exitCode: z.number().nullable(), signal: z.string().nullable(), fault: z.string().optional() })
export type AttemptExit = z.output<typeof exitShape>

const claimShape = z.union([z.object({ pid: z.number(), startedAt: z.string() }), z.object({ void: z.literal(true) })])

export type AttemptState =
  | { readonly kind: 'living' }
  | { readonly kind: 'ended'; readonly exit: AttemptExit }
  /** Its processes are gone and nobody wrote how they ended. */
  | { readonly kind: 'vanished' }
  /** It never ran and never will. */
  | { readonly kind: 'void' }

export function startAttempt(
  base: string,
  intent: AttemptIntent,
  child: { readonly argv: readonly string[]; readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Attempt {
  const number = (attemptsIn(base).at(-1)?.number ?? 0) + 1
  const directory = join(base, String(number).padStart(4, '0'))
  mkdirSync(directory, { mode: 0o700 })
  writeWholeSync(join(directory, 'attempt.json'), JSON.stringify(intent))
  const attempt = { number, directory, intent }
  startDetached({
    argv: [process.execPath, '--import', WITHOUT_TYPES, join(import.meta.dirname, 'wrapper.ts'), directory, ...child.argv],
    cwd: child.cwd,
    env: child.env,
    output: join(directory, 'output.log'),
  })
  return attempt
}

/** Node takes types off by itself too, which is two thirds of the wrapper's start. */
const WITHOUT_TYPES = join(import.meta.dirname, '../../../bin/without-types.mjs')

/** All attempts of this run, oldest first. */
export function attemptsIn(base: string): readonly Attempt[] {
  mkdirSync(base, { recursive: true, mode: 0o700 })
  return readdirSync(base)
    .filter((name) => /^\d{4}$/.test(name))
    .sort()
    .flatMap((name) => {
      const directory = join(base, name)
      const intent = readJson(join(directory, 'attempt.json'))
      return intent === null ? [] : [{ number: Number(name), directory, intent: intentShape.parse(intent) }]
    })
}

export async function stateOf(attempt: Attempt): Promise<AttemptState> {
  const claim = await settledClaim(attempt)
  if ('void' in claim) return { kind: 'void' }
  if (isGroupAlive(claim)) return { kind: 'living' }
  const exit = readJson(join(attempt.directory, 'exit.json'))
  return exit === null ? { kind: 'vanished' } : { kind: 'ended', exit: exitShape.parse(exit) }
}

/** Aborts when its wrapper ends; undefined where that can only be looked for, since another process started it. */
export function endOfWrapper(attempt: Attempt): AbortSignal | undefined {
  const claim = readClaim(attempt)
  return claim === null || 'void' in claim ? undefined : endOf(claim)
}

/** What it has said so far, raw: redact before it goes anywhere. */
export function outputOf(attempt: Attempt): string {
  try {
    return readFileSync(join(attempt.directory, 'output.log'), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

/** Of one that has ended. */
export function hideOutput(attempt: Attempt, redactor: Redactor): void {
  const written = outputOf(attempt)
  const hidden = redactor.text(written)
  if (hidden !== written) writeWholeSync(join(attempt.directory, 'output.log'), hidden)
}

/** Noted once it was decided that the run may go on after this attempt. */
export const settle = (attempt: Attempt): void => writeWholeSync(join(attempt.directory, 'settled.json'), 'true')
export const isSettled = (attempt: Attempt): boolean => readJson(join(attempt.directory, 'settled.json')) !== null

/** Only after its backends are gone: a killed migrator's backend commits what it was doing. */
export function endAttempt(attempt: Attempt, signal: 'SIGTERM' | 'SIGKILL'): void {
  const claim = readClaim(attempt)
  if (claim !== null && !('void' in claim)) endProcess(claim, signal)
}

/** The wrapper claims within a fraction of a second. One that has not by then is voided, so that it never starts. */
async function settledClaim(attempt: Attempt): Promise<z.output<typeof claimShape>> {
  for (const end = performance.now() + CLAIM_WITHIN_MS; performance.now() < end; await sleep(20)) {
    const claim = readClaim(attempt)
    if (claim !== null) return claim
  }
  writeFirstSync(join(attempt.directory, 'claim.json'), JSON.stringify({ void: true }))
  const claim = readClaim(attempt)
  if (claim === null) throw new Error(`${attempt.directory} lost its claim`)
  return claim
}

const CLAIM_WITHIN_MS = 10_000

function readClaim(attempt: Attempt): z.output<typeof claimShape> | null {
  const claim = readJson(join(attempt.directory, 'claim.json'))
  return claim === null ? null : claimShape.parse(claim)
}
