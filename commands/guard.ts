import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../src/clock.ts'

/** Slack signs with the current time; older or younger than this is a replay or a forgery. */
export const SIGNATURE_AGE_SECONDS = 300

/**
 * Before the library reads a byte of the body: each header of the signature once, well formed, and of now. Answers 401 itself, and
 * says nothing else.
 */
export function guarded(
  listener: (request: IncomingMessage, response: ServerResponse) => void,
  clock: Clock,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    if (request.method !== 'POST' || hasFitSignature(request.rawHeaders, clock.now())) return listener(request, response)
    response.writeHead(401, { connection: 'close' })
    response.end()
    request.destroy()
  }
}

/** `rawHeaders` as Node gives them: name, value, name, value. `now` in milliseconds. */
export function hasFitSignature(rawHeaders: readonly string[], now: number): boolean {
  const timestamp = onlyValue(rawHeaders, 'x-slack-request-timestamp')
  const signature = onlyValue(rawHeaders, 'x-slack-signature')
  if (timestamp === undefined || signature === undefined) return false
  if (!/^\d{1,12}$/.test(timestamp) || !/^v0=[0-9a-f]{64}$/.test(signature)) return false
  return Math.abs(Math.floor(now / 1000) - Number(timestamp)) <= SIGNATURE_AGE_SECONDS
}

function onlyValue(rawHeaders: readonly string[], name: string): string | undefined {
  const values = rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name)
  return values.length === 1 ? values[0] : undefined
}
