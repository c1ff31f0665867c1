import { createRequire } from 'node:module'
import { z } from 'zod'
import { captureChild } from '../../process/capture.ts'
import { createRedactor } from '../../redact/redact.ts'

/** What squawk says of one statement; `line` from 1, in the file of its migration. */
export type Remark = {
  readonly migration: string
  readonly line: number
  /** `ban-char-field` */
  readonly rule: string
  readonly message: string
  readonly help: string | null
}

export type SecondOpinion =
  | { readonly kind: 'given'; readonly remarks: readonly Remark[] }
  /** A sentence without a full stop. */
  | { readonly kind: 'not given'; readonly why: string }

/** Beyond this nobody waits for it: 1 MB takes about a tenth of a second. */
const MOST_BYTES = 2_000_000
const PATIENCE_MS = 10_000
/** Older ones it knows nothing of. */
const SHOWN = z.array(
  z.object({
    line: z.int().min(0),
    rule_name: z.string(),
    message: z.string(),
    help: z.string().nullable(),
  }),
)

/**
 * Asks squawk (https://squawkhq.com), a linter of its own parser and rules, about files in the order in which they run: one start for all of
 * them, since it remembers which tables were created above. It sees the SQL alone, never a database. Only files that PostgreSQL's parser
 * reads may be given: an open quotation mark would swallow those that follow.
 */
export async function secondOpinion(
  files: readonly { readonly name: string; readonly text: string }[],
  { serverVersion, program = installed() }: { readonly serverVersion: string; readonly program?: string | null },
): Promise<SecondOpinion> {
  if (files.length === 0) return { kind: 'given', remarks: [] }
  if (program === null) return { kind: 'not given', why: 'squawk has no program for this machine' }
  const joined = joinFiles(files)
  if (Buffer.byteLength(joined.text) > MOST_BYTES) return { kind: 'not given', why: 'the files together are too long for squawk' }
  const end = await captureChild({
    // no configuration of whoever starts the bot, and none of the repository
    argv: [
      program,
      '-c',
      '/dev/null',
      '--assume-in-transaction',
      '--pg-version',
      serverVersion,
      '--reporter',
      'json',
      '--stdin-filepath',
      'plan.sql',
    ],
    cwd: '/',
    env: {},
    input: joined.text,
    timeoutMs: PATIENCE_MS,
    redactor: createRedactor([]),
  })
  if (end.ended !== 'exited')
    return { kind: 'not given', why: end.ended === 'timed-out' ? 'squawk took longer than 10 s' : 'squawk could not be started' }
  // 1 is said of every remark
  const read = end.exitCode === 0 || end.exitCode === 1 ? SHOWN.safeParse(jsonOf(end.stdout.toString('utf8'))) : null
  if (read?.success !== true) return { kind: 'not given', why: 'squawk could not read the files' }
  return {
    kind: 'given',
    remarks: read.data.map(({ line, rule_name: rule, message, help }) => ({ ...joined.placeOf(line), rule, message, help })),
  }
}

/** Each file begins on a line of its own, and ends its last statement. */
function joinFiles(files: readonly { readonly name: string; readonly text: string }[]) {
  const begins: { readonly name: string; readonly line: number }[] = []
  let [text, lines] = ['', 0]
  for (const file of files) {
    begins.push({ name: file.name, line: lines })
    // on a line of its own, since the last one may be a comment
    const whole = `${file.text}\n;\n`
    text += whole
    lines += whole.split('\n').length - 1
  }
  return {
    text,
    /** `line` from 0, in the joined text. */
    placeOf: (line: number): Pick<Remark, 'migration' | 'line'> => {
      const file = begins.findLast((one) => one.line <= line)
      return { migration: file?.name ?? '', line: line - (file?.line ?? 0) + 1 }
    },
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null // told as a file that it could not read
  }
}

/** The program itself, without the Node process that its package would put before it. Null where it is not made for this machine. */
function installed(): string | null {
  try {
    return createRequire(import.meta.url).resolve(`@squawk-cli/${process.platform}-${process.arch}/bin/squawk`)
  } catch {
    return null
  }
}
