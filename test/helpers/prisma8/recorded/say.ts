type NextAction = Readonly<Record<string, string>>
export type Fault = {
  readonly code: string
  readonly summary: string
  readonly why?: string
  readonly nextActions: readonly NextAction[]
  readonly meta?: unknown
  readonly where?: unknown
}

const line = (value: object): void => void process.stdout.write(`${JSON.stringify({ ...value, timestamp: new Date().toISOString() })}\n`)

export const stepStarted = (commandId: string, step: string, id: string): void => line({ kind: 'step-started', step, id, commandId })

export const stepFinished = (commandId: string, step: string, id: string, outcome: 'ok' | 'failed'): void =>
  line({ kind: 'step-finished', step, id, outcome, commandId })

/** Exit code 2. */
export function finish(commandId: string, { code, nextActions, ...rest }: Fault, diagnostics: readonly unknown[] = []): never {
  const error = { code, severity: 'error', ...rest, nextActions, docsUrl: docsOf(code) }
  line({ kind: 'result', envelope: { ok: false, commandId, error, diagnostics, nextActions }, commandId })
  process.exit(2)
}

export function succeed(
  commandId: string,
  result: object,
  more: { readonly exitCode?: number; readonly diagnostics?: readonly unknown[]; readonly nextActions?: readonly NextAction[] } = {},
): never {
  const { exitCode = 0, diagnostics = [], nextActions = [] } = more
  line({ kind: 'result', envelope: { ok: true, commandId, result, exitCode, diagnostics, nextActions }, commandId })
  process.exit(exitCode)
}

export const docsOf = (code: string): string =>
  code === 'MIGRATION.CONTRACT_SPACE_VIOLATION'
    ? 'https://pris.ly/contract-spaces'
    : `https://docs.prisma.io/docs/orm/v8/reference/error-reference/${code}`
