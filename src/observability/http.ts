import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Report } from './readiness.ts'

export type Pages = {
  readonly readiness: () => Promise<Report>
  /** Prometheus' text format, with its content type. */
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>
  readonly onFault: (error: Error) => void
}

export type Address = { readonly host: string; readonly port: number }

export type Served = { readonly address: Address; readonly close: () => Promise<void> }

/** Whoever probes asks for a line and goes; more than these at once are turned away by the kernel. */
const CONNECTIONS = 64
const REQUEST_MS = 5_000

/** `/livez`, `/readyz` and `/metrics`, on a port of their own: none of them belongs on the one that Slack reaches. */
export const serve = (at: Address, pages: Pages): Promise<Served> =>
  serveHttp(at, {
    answer: (request, response) => answer(pages, request.method ?? '', (request.url ?? '').split('?')[0] ?? '', response),
    onFault: pages.onFault,
  })

/** For whoever asks for a page and goes: few connections, and short ones. */
export async function serveHttp(
  at: Address,
  pages: {
    readonly answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>
    readonly onFault: (error: Error) => void
  },
): Promise<Served> {
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) => {
    pages.answer(request, response).catch((error: Error) => {
      pages.onFault(error)
      send(response, 500, 'text/plain', 'This could not be answered; the log says why.\n')
    })
  })
  server.maxConnections = CONNECTIONS
  await new Promise<void>((listening, failed) => {
    server.once('error', failed)
    server.listen(at.port, at.host, listening)
  })
  const bound = server.address()
  return {
    address: { host: at.host, port: typeof bound === 'object' && bound !== null ? bound.port : at.port },
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}

async function answer(pages: Pages, method: string, path: string, response: ServerResponse): Promise<void> {
  if (!['/livez', '/readyz', '/metrics'].includes(path))
    return send(response, 404, 'text/plain', 'There are /livez, /readyz and /metrics.\n')
  if (method !== 'GET' && method !== 'HEAD') return send(response, 405, 'text/plain', 'This is only read.\n', { allow: 'GET, HEAD' })
  // that it answers is the answer: nothing is asked of anybody else
  if (path === '/livez') return send(response, 200, 'text/plain', 'alive\n')
  if (path === '/metrics') {
    const { type, text } = await pages.metrics()
    return send(response, 200, type, text)
  }
  const report = await pages.readiness()
  send(response, report.ready ? 200 : 503, 'application/json', `${JSON.stringify(report, undefined, 2)}\n`)
}

export function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent) return void response.destroy()
  const charset = type.includes('charset') || type === 'application/json' ? '' : '; charset=utf-8'
  response.writeHead(status, { 'content-type': `${type}${charset}`, 'cache-control': 'no-store', ...headers })
  response.end(body) // Node leaves the body out where only the head was asked for
}
