import { z } from 'zod'

/** What Prisma 8 says went wrong. Its own texts and those of the database: outside text, not escaped. */
export type RunnerFault = {
  /** `MIGRATION.RUNNER_FAILED` */
  readonly code: string
  readonly summary: string
  /** Of a statement, the database's message. */
  readonly why: string | null
  readonly sqlState: string | null
  readonly detail: string | null
  readonly operationId: string | null
  readonly sql: string | null
  /** What differs, as paths: `missing: database/public/Customer/column:phone`. */
  readonly issues: readonly string[]
}

export type Answer =
  /** `result` is as the command has it; `faults` are what it found, which is no fault of the command. */
  | { readonly kind: 'answer'; readonly result: unknown; readonly faults: readonly RunnerFault[] }
  | ({ readonly kind: 'fault' } & RunnerFault)

/** The last line of the kind `result`; null when there is none: it was ended, or it is another program. */
export function readAnswer(output: string): Answer | null {
  const envelope = resultsIn(output).at(-1)
  if (envelope === undefined) return null
  if (envelope.ok) return { kind: 'answer', result: envelope.result, faults: envelope.diagnostics.map(faultOf) }
  return { kind: 'fault', ...faultOf(envelope.error) }
}

/** What `db migrate --show` says would run, in order. */
export function readRoute(result: unknown): readonly { readonly name: string; readonly hash: string }[] | null {
  const read = routeShape.safeParse(result)
  return read.success ? read.data.migrations.map(({ dirName, migrationHash }) => ({ name: dirName, hash: migrationHash })) : null
}

const routeShape = z.object({
  migrations: z.array(z.object({ spaceId: z.literal('app'), dirName: z.string(), migrationHash: z.string() })),
})

/** Output as people read it: of each line of JSON what it says, and other lines as they are. */
export const readableOutput = (output: string): string =>
  output
    .split(/\r?\n/)
    .flatMap((line) => {
      if (NOISE.test(line)) return []
      const read = lineShape.safeParse(parsed(line))
      if (!read.success) return [line.trimEnd()]
      return read.data.kind === 'result' ? [told(read.data.envelope)] : []
    })
    .join('\n')
    .trim()

/** Said each time, and about nothing that runs. */
const NOISE = /^Prisma agent skills are out of date/

function told(envelope: Envelope): string {
  if (envelope.ok) {
    const { summary } = summaryShape.safeParse(envelope.result).data ?? {}
    return [summary ?? 'done', ...envelope.diagnostics.flatMap((one) => linesOf(faultOf(one)))].join('\n')
  }
  return linesOf(faultOf(envelope.error)).join('\n')
}

/** A few lines, for the log and for the preformatted block of a card. */
export const linesOf = ({ code, summary, why, sqlState, detail, sql, issues }: RunnerFault): readonly string[] => [
  `${code}: ${summary}`,
  ...(why === null ? [] : [`${why}${sqlState === null ? '' : ` (${sqlState})`}`]),
  ...(detail === null ? [] : [`DETAIL: ${detail}`]),
  ...(sql === null ? [] : [sql]),
  ...issues,
]

const errorShape = z.object({
  code: z.string(),
  summary: z.string(),
  why: z.string().optional(),
  meta: z.looseObject({}).optional(),
})

const envelopeShape = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), result: z.unknown(), diagnostics: z.array(errorShape).default([]) }),
  z.object({ ok: z.literal(false), error: errorShape }),
])
type Envelope = z.output<typeof envelopeShape>

const lineShape = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('result'), envelope: envelopeShape }),
  z.object({ kind: z.enum(['step-started', 'step-finished', 'message']) }),
])

const summaryShape = z.object({ summary: z.string() })

/** Where it tells an issue as a path with what was expected and what is there. */
const issueShape = z.object({ path: z.array(z.string()), expected: z.unknown().optional(), actual: z.unknown().optional() })

function resultsIn(output: string): readonly Envelope[] {
  return output.split(/\r?\n/).flatMap((line) => {
    const read = lineShape.safeParse(parsed(line))
    return read.success && read.data.kind === 'result' ? [read.data.envelope] : []
  })
}

function parsed(line: string): unknown {
  if (!line.startsWith('{')) return null
  try {
    return JSON.parse(line)
  } catch {
    return null // a line that was cut, or of somebody else
  }
}

function faultOf({ code, summary, why, meta = {} }: z.output<typeof errorShape>): RunnerFault {
  const text = (key: string): string | null => (typeof meta[key] === 'string' ? meta[key] : null)
  const issues = Array.isArray(meta['issues']) ? meta['issues'] : []
  return {
    code,
    summary,
    why: why ?? null,
    sqlState: text('sqlState'),
    detail: text('detail'),
    operationId: text('operationId'),
    sql: text('sql'),
    issues: issues.flatMap((issue: unknown) => issueText(issue) ?? []),
  }
}

function issueText(issue: unknown): string | null {
  if (typeof issue === 'string') return issue
  const read = issueShape.safeParse(issue)
  if (!read.success) return null
  const { path, expected, actual } = read.data
  return `${actual === undefined ? 'missing' : expected === undefined ? 'extra' : 'mismatch'}: ${path.join('/')}`
}
