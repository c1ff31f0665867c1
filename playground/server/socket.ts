import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'
import type { Outcome, Transport } from './deliver.ts'
import { isRecord, parseJson, recordOf, textOf } from './shape.ts'

export type SocketMode = Transport & {
  /** A fresh address for one connection, as `apps.connections.open` gives it. */
  readonly openUrl: (origin: string) => string
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  readonly connections: () => number
  /** Asks every connection to come back, as Slack does every few hours. */
  readonly refresh: (reason?: 'refresh_requested' | 'warning' | 'link_disabled') => void
  /** Cuts every connection without a word. */
  readonly drop: () => void
  readonly close: () => void
}

/** docs.slack.dev/apis/events-api/using-socket-mode: up to ten connections of one app. */
const MAX_CONNECTIONS = 10
const PING_MS = 10_000

export function createSocketMode(options: {
  readonly appId: string
  readonly ackMs: number
  readonly nextId: () => string
  readonly changed: () => void
}): SocketMode {
  const server = new WebSocketServer({ noServer: true })
  const tickets = new Set<string>()
  const open: WebSocket[] = []
  const waiting = new Map<string, (outcome: Outcome) => void>()
  let turn = 0

  const accept = (socket: WebSocket): void => {
    if (open.length >= MAX_CONNECTIONS) {
      socket.send(JSON.stringify({ type: 'disconnect', reason: 'too_many_websockets' }))
      return socket.close()
    }
    open.push(socket)
    const ping = setInterval(() => socket.ping(), PING_MS)
    socket.on('error', () => socket.terminate())
    socket.on('close', () => {
      clearInterval(ping)
      open.splice(open.indexOf(socket), 1)
      options.changed()
    })
    socket.on('message', (data) => acknowledge(readText(data)))
    const info = { host: 'applink-playground', build_number: 1, approximate_connection_time: 18_060 }
    socket.send(
      JSON.stringify({ type: 'hello', connection_info: { app_id: options.appId }, num_connections: open.length, debug_info: info }),
    )
    options.changed()
  }

  const acknowledge = (text: string): void => {
    const parsed = parseJson(text)
    if (!parsed.ok || !isRecord(parsed.value)) return
    waiting.get(textOf(parsed.value['envelope_id']))?.({ kind: 'acked', payload: recordOf(parsed.value['payload']) })
  }

  return {
    isConnected: () => open.length > 0,
    connections: () => open.length,
    openUrl: (origin) => {
      const ticket = options.nextId()
      tickets.add(ticket)
      return `${origin.replace('http', 'ws')}/link/?ticket=${ticket}&app_id=${options.appId}`
    },
    upgrade: (request, socket, head) => {
      const ticket = new URL(request.url ?? '', 'http://localhost').searchParams.get('ticket') ?? ''
      if (!tickets.delete(ticket)) return void socket.end('HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n')
      server.handleUpgrade(request, socket, head, accept)
    },
    attempt: (delivery, { id, retry, repeat }) => {
      const next = open[turn++ % Math.max(1, open.length)]
      if (!next) return Promise.resolve({ kind: 'unreachable' })
      const envelope = JSON.stringify({
        envelope_id: id,
        type: delivery.kind,
        payload: delivery.payload,
        accepts_response_payload: delivery.acceptsPayload,
        ...(delivery.kind === 'events_api' || retry > 0 ? { retry_attempt: retry, retry_reason: retry > 0 ? 'timeout' : '' } : {}),
      })
      const receivers = repeat.startsWith('everywhere') ? [...open] : repeat === 'twice' ? [next, next] : [next]
      return new Promise((resolve) => {
        let missing = repeat === 'everywhere, last' ? receivers.length : 1
        let heard: Outcome = { kind: 'timeout' }
        const settle = (outcome: Outcome): void => {
          heard = outcome
          missing -= 1
          if (missing <= 0 || outcome.kind !== 'acked') end()
        }
        const end = (): void => {
          clearTimeout(timer)
          waiting.delete(id)
          resolve(heard)
        }
        const timer = setTimeout(end, options.ackMs)
        waiting.set(id, settle)
        for (const receiver of receivers) receiver.send(envelope)
      })
    },
    refresh: (reason = 'refresh_requested') => {
      for (const socket of open.toReversed())
        socket.send(JSON.stringify({ type: 'disconnect', reason, debug_info: { host: 'applink-playground' } }))
    },
    drop: () => {
      for (const socket of open.toReversed()) socket.terminate()
    },
    close: () => {
      for (const settle of Array.from(waiting.values())) settle({ kind: 'unreachable' })
      for (const socket of open.toReversed()) socket.terminate()
      server.close()
    },
  }
}

function readText(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString()
  return Buffer.isBuffer(data) ? data.toString() : Buffer.from(data).toString()
}
