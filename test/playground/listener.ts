import { createServer, type IncomingMessage } from 'node:http'

export type Heard = { readonly headers: IncomingMessage['headers']; readonly body: string; readonly payload: Record<string, unknown> }

export type Listener = {
  readonly url: string
  readonly heard: Heard[]
  answer: { status: number; body: string }
  readonly close: () => Promise<void>
}

/** A request URL that writes down what Slack sends and answers what the test wants. */
export async function listen(): Promise<Listener> {
  const heard: Heard[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      heard.push({ headers: request.headers, body, payload: read(body, request.headers['content-type'] ?? '') })
      response.writeHead(listener.answer.status, { 'content-type': 'application/json' }).end(listener.answer.body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the listener has no port')
  const listener: Listener = {
    url: `http://127.0.0.1:${address.port}/slack/events`,
    heard,
    answer: { status: 200, body: '' },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return listener
}

function read(body: string, type: string): Record<string, unknown> {
  const fields = type.startsWith('application/json') ? { payload: body } : Object.fromEntries(new URLSearchParams(body))
  const value: unknown = typeof fields['payload'] === 'string' ? JSON.parse(fields['payload']) : fields
  return typeof value === 'object' && value !== null ? { ...value } : {}
}
