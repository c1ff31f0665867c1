import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createGuard, serverOptions } from '../../commands/http-guard.ts'
import { until } from '../helpers/until.ts'

let server: Server
let passed: string[]

beforeEach(async () => {
  passed = []
  const guard = createGuard((request) => void passed.push(request.url ?? ''), {
    signingSecret: 'secret',
    clock: { now: Date.now },
    onRefused: () => {},
  })
  server = createServer(serverOptions, guard.listener)
  guard.limit(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
})

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((done) => server.close(done))
})

/** Sends on one connection, and gives what came back once it holds so many answers or the connection is closed. */
async function send(text: string, answers: number) {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.on('error', () => {}) // cut off in the middle of sending: what came back counts
  let said = ''
  let isClosed = false
  socket.on('data', (chunk: Buffer) => (said += chunk.toString('latin1')))
  socket.on('close', () => (isClosed = true))
  await once(socket, 'connect')
  socket.write(text)
  const statuses = () => said.match(/HTTP\/1\.1 \d{3}/g) ?? []
  await until('it is answered', () => isClosed || statuses().length >= answers)
  return { statuses, isClosed: () => isClosed, end: () => socket.destroy() }
}

const unsigned = (body: string, headers = `Content-Length: ${Buffer.byteLength(body)}`) =>
  `POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${headers}\r\n\r\n${body}`

test('small unsigned requests are each refused on the connection that they came on, which costs least', async () => {
  const { statuses, isClosed, end } = await send(unsigned('{}').repeat(50), 50)
  expect(statuses()).toEqual(Array.from({ length: 50 }, () => 'HTTP/1.1 401'))
  expect(isClosed()).toBe(false)
  expect(passed).toEqual([])
  end()
})

test('what lies in the body of a refused request is never taken for a request', async () => {
  const inner = 'GET /inner HTTP/1.1\r\nHost: x\r\n\r\n'
  const { statuses, end } = await send(`${unsigned(inner)}${unsigned('{}')}`, 2)
  expect(statuses()).toEqual(['HTTP/1.1 401', 'HTTP/1.1 401'])
  expect(passed).toEqual([])
  end()
})

test.each([
  ['is large', unsigned('x'.repeat(20_000))],
  ['says no length', unsigned('2\r\n{}\r\n0\r\n\r\n', 'Transfer-Encoding: chunked')],
])('an unsigned request that %s costs its connection', async (_, request) => {
  const { statuses, isClosed } = await send(request, 1)
  await until('the connection is closed', isClosed)
  expect(statuses()).toEqual(['HTTP/1.1 401'])
  expect(passed).toEqual([])
})
