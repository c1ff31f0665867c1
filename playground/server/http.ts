import type { IncomingMessage, ServerResponse } from 'node:http'
import { parseJson, recordOf, type Json } from './shape.ts'

const MAX_BODY = 20_000_000

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    const part = Buffer.from(chunk)
    size += part.length
    if (size > MAX_BODY) throw new Error(`the body is larger than ${MAX_BODY} bytes`)
    chunks.push(part)
  }
  return Buffer.concat(chunks)
}

/** JSON or form, as Slack accepts them; null when a JSON body cannot be read. */
export function parseArguments(body: Buffer, contentType: string): Json | null {
  if (!contentType.startsWith('application/json')) return Object.fromEntries(new URLSearchParams(body.toString()))
  if (body.length === 0) return {}
  const parsed = parseJson(body.toString())
  return parsed.ok ? recordOf(parsed.value) : null
}

export function sendJson(response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
  response.end(JSON.stringify(body))
}

export function sendText(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(body)
}
