import { createServer } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { respond } from '../../../src/slack/client/response-url.ts'

let answer: { readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> } | 'cut' | 'nothing'
let heard: unknown[]
let url: string

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    heard.push(JSON.parse(Buffer.concat(chunks).toString('utf8')))
    if (answer === 'cut') request.socket.destroy()
    else if (answer !== 'nothing') response.writeHead(answer.status, answer.headers).end(answer.body)
  })
})

beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/response/secret`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const OK = { kind: 'ok', value: null }

test.each([
  ['ok as a word', { status: 200, body: 'ok' }, OK],
  ['ok as JSON', { status: 200, body: '{"ok":true}' }, OK],
  ['nothing but success', { status: 200, body: '' }, OK],
  ['a refusal as JSON, with success', { status: 200, body: '{"ok":false,"error":"used_url"}' }, { kind: 'refused', error: 'used_url' }],
  ['a refusal as a word', { status: 404, body: 'expired_url' }, { kind: 'refused', error: 'expired_url' }],
  ['a refusal without a word', { status: 403, body: '' }, { kind: 'refused', error: 'http_403' }],
  ['a limit', { status: 429, body: '', headers: { 'retry-after': '7' } }, { kind: 'limited', retryAfterMs: 7_000 }],
  ['a limit without a time', { status: 429, body: '' }, { kind: 'limited', retryAfterMs: 5_000 }],
  ['that it is unwell', { status: 503, body: 'no_service' }, { kind: 'unsure', cause: 'Slack answered 503' }],
  ["a proxy's page", { status: 200, body: '<html>Sign in</html>' }, { kind: 'unsure', cause: 'the answer was not from Slack' }],
] as const)('Slack says %s', async (_, says, sent) => {
  heard = []
  answer = says
  expect(await respond(url, { text: 'yes' }, undefined, 5_000)).toEqual(sent)
  expect(heard).toEqual([{ response_type: 'ephemeral', replace_original: false, text: 'yes' }])
})

test.each([
  ['cuts the connection', 'cut'],
  ['says nothing', 'nothing'],
  ['leads elsewhere', { status: 302, body: '', headers: { location: 'http://127.0.0.1:1/' } }],
] as const)('what is not certain is called so, without the address: Slack %s', async (_, says) => {
  heard = []
  answer = says
  const sent = await respond(url, { text: 'yes' }, '1.1', says === 'nothing' ? 100 : 5_000)
  expect(sent.kind).toBe('unsure')
  expect(JSON.stringify(sent)).not.toContain('secret')
  expect(heard).toEqual([{ response_type: 'ephemeral', replace_original: false, text: 'yes', thread_ts: '1.1' }])
})
