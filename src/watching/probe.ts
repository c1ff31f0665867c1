import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { setTimeout as wait } from 'node:timers/promises'
import type { ProbeSettings } from '../config/schema.ts'

/** One look at one address. `body` is at most the first 64 KB. */
export type Answer = {
  readonly url: string
  readonly ok: boolean
  /** `HTTP 200`, `HTTP 503 instead of 200`, `connection refused`, … */
  readonly said: string
  readonly body: string
}

export type Health =
  | { readonly kind: 'healthy'; readonly answers: readonly Answer[]; readonly durationMs: number }
  | { readonly kind: 'unhealthy'; readonly answer: Answer; readonly why: string; readonly durationMs: number }
  | { readonly kind: 'aborted'; readonly durationMs: number }

/** One success may be luck, or the old process on its way out. */
const SUCCESSES_IN_A_ROW = 5
/** A success followed by a failure happens once while a process is replaced; more often than that it is not healthy. */
const FLAPS_ALLOWED = 2
const PAUSE_MS = 250
const ANSWER_MS = 5_000
const BODY_BYTES = 64 * 1024

/** Asks once, over a connection of its own: one that is kept alive may lead to the process that is going. Never throws. */
export async function probeOnce(
  probe: ProbeSettings,
  options: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {},
): Promise<Answer> {
  const timeoutMs = Math.ceil(Math.max(1, Math.min(ANSWER_MS, options.timeoutMs ?? ANSWER_MS)))
  const timeout = AbortSignal.timeout(timeoutMs)
  const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal])
  try {
    const { status, body } = await ask(probe.http, signal)
    const ok = status === probe.expect
    return { url: probe.http, ok, said: ok ? `HTTP ${status}` : `HTTP ${status} instead of ${probe.expect}`, body }
  } catch (error) {
    const said = timeout.aborted ? `no answer within ${(timeoutMs / 1000).toFixed(1)} s` : reasonOf(error as NodeJS.ErrnoException)
    return { url: probe.http, ok: false, said, body: '' }
  }
}

/**
 * Waits until every probe succeeds five times in a row, 250 ms apart. A probe that goes on to fail after succeeding, more than twice, is
 * reported as flapping at once; one that has not succeeded within its `within` is reported with its last answer. `accept` can find fault
 * with a good answer (for example that it comes from the wrong version) and returns what is wrong with it.
 */
export async function waitUntilHealthy(
  probes: readonly ProbeSettings[],
  options: {
    readonly signal: AbortSignal
    readonly report: (details: string) => void
    readonly accept?: (answer: Answer) => string | null
  },
): Promise<Health> {
  const started = performance.now()
  const failing = new AbortController()
  const signal = AbortSignal.any([options.signal, failing.signal])
  const results = await Promise.all(
    probes.map(async (probe) => {
      const result = await settle(probe, { ...options, signal })
      if (result.why !== null) failing.abort()
      return result
    }),
  )
  const durationMs = performance.now() - started
  if (options.signal.aborted) return { kind: 'aborted', durationMs }
  const bad = results.find((result) => result.why !== null && result.why !== '')
  if (bad?.why != null) return { kind: 'unhealthy', answer: bad.answer, why: bad.why, durationMs }
  return { kind: 'healthy', answers: results.map((result) => result.answer), durationMs }
}

/** `why` is null when it is healthy and empty when it was stopped before it was known. */
async function settle(
  probe: ProbeSettings,
  options: Parameters<typeof waitUntilHealthy>[1],
): Promise<{ readonly answer: Answer; readonly why: string | null }> {
  const end = performance.now() + probe.within
  let inRow = 0
  let flaps = 0
  for (;;) {
    const asked = await probeOnce(probe, { signal: options.signal, timeoutMs: end - performance.now() })
    if (options.signal.aborted) return { answer: asked, why: '' }
    const fault = asked.ok ? (options.accept?.(asked) ?? null) : null
    const answer = fault === null ? asked : { ...asked, ok: false, said: fault }
    if (!answer.ok && inRow > 0) flaps++
    inRow = answer.ok ? inRow + 1 : 0
    if (inRow >= SUCCESSES_IN_A_ROW) return { answer, why: null }
    if (flaps > FLAPS_ALLOWED) return { answer, why: `It flaps: ${flaps} times it answered well and then did not (last: ${answer.said}).` }
    const left = end - performance.now()
    if (left <= PAUSE_MS)
      return {
        answer,
        why: `It did not answer well ${SUCCESSES_IN_A_ROW} times in a row within ${probe.within / 1000} s (last: ${answer.said}).`,
      }
    options.report(
      answer.ok
        ? `${probe.http}: ${inRow} of ${SUCCESSES_IN_A_ROW} good answers`
        : `waiting for ${probe.http}: ${answer.said}, ${Math.ceil(left / 1000)} s left`,
    )
    await wait(PAUSE_MS, undefined, { signal: options.signal }).catch(() => {}) // aborted: seen above
  }
}

function ask(url: string, signal: AbortSignal): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? requestHttps : requestHttp
    const request = send(url, { agent: false, signal, headers: { 'user-agent': 'lockkeeper', connection: 'close' } }, (response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      const end = () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).subarray(0, BODY_BYTES).toString('utf8') })
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes < BODY_BYTES) return
        end()
        response.destroy()
      })
      response.on('end', end)
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end()
  })
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was cut',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be looked up',
  EHOSTUNREACH: 'the host cannot be reached',
  ETIMEDOUT: 'the connection timed out',
}

const reasonOf = (error: NodeJS.ErrnoException) => reasons[error.code ?? ''] ?? error.message.split('\n')[0] ?? 'no answer'
