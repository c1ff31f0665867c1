import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { probeOnce, waitUntilHealthy } from '../../src/watching/probe.ts'
import { versionIn } from '../../src/watching/version.ts'

const toClose: (() => void)[] = []
afterEach(() => {
  for (const close of toClose.splice(0)) close()
})

const quiet = { signal: new AbortController().signal, report: () => {} }

test('five good answers in a row are healthy', async () => {
  let asked = 0
  const url = await serving((_, response) => void response.end(`answer ${++asked}`))
  const health = await waitUntilHealthy([probe(url)], quiet)
  expect(health).toMatchObject({ kind: 'healthy', answers: [{ ok: true, said: 'HTTP 200', body: 'answer 5' }] })
})

test('an application that needs a while is waited for, and what is waited for is said', async () => {
  let asked = 0
  const url = await serving((_, response) => void response.writeHead(++asked < 3 ? 503 : 200).end())
  const reports: string[] = []
  expect(await waitUntilHealthy([probe(url)], { ...quiet, report: (details) => reports.push(details) })).toMatchObject({ kind: 'healthy' })
  expect(reports[0]).toBe(`waiting for ${url}: HTTP 503 instead of 200, 10 s left`)
  expect(reports.at(-1)).toBe(`${url}: 4 of 5 good answers`)
})

test('an answer that is good one time in three does not pass, and is called flapping', async () => {
  let asked = 0
  const url = await serving((_, response) => void response.writeHead(++asked % 3 === 0 ? 200 : 500).end())
  const health = await waitUntilHealthy([probe(url)], quiet)
  expect(health).toMatchObject({
    kind: 'unhealthy',
    why: 'It flaps: 3 times it answered well and then did not (last: HTTP 500 instead of 200).',
  })
})

test('one failure among good answers, as when a process is replaced, only begins the count anew', async () => {
  let asked = 0
  const url = await serving((_, response) => void response.writeHead(++asked === 3 ? 502 : 200).end())
  expect(await waitUntilHealthy([probe(url)], quiet)).toMatchObject({ kind: 'healthy' })
  expect(asked).toBe(8)
})

test('every probe has to be healthy, and the one that is not is named with its last answer', async () => {
  const good = await serving((_, response) => void response.end())
  const health = await waitUntilHealthy([probe(good), probe('http://127.0.0.1:1/health', 600)], quiet)
  expect(health).toMatchObject({
    kind: 'unhealthy',
    answer: { url: 'http://127.0.0.1:1/health' },
    why: 'It did not answer well 5 times in a row within 0.6 s (last: connection refused).',
  })
})

test('a server that accepts and says nothing is given up in time', async () => {
  const url = await serving(() => {})
  const health = await waitUntilHealthy([probe(url, 500)], quiet)
  expect(health).toMatchObject({
    kind: 'unhealthy',
    why: expect.stringMatching(/^It did not answer well 5 times in a row within 0\.5 s \(last: no answer within /),
  })
})

test('a redirect is not followed, and an endless body is cut', async () => {
  const moved = await serving((_, response) => void response.writeHead(302, { location: '/login' }).end())
  expect(await probeOnce(probe(moved))).toMatchObject({ ok: false, said: 'HTTP 302 instead of 200' })
  const endless = await serving((_, response) => {
    const more = () => void (response.destroyed || response.write('x'.repeat(100_000), more))
    more()
  })
  expect((await probeOnce(probe(endless))).body).toHaveLength(64 * 1024)
})

test('it stops waiting when the run is cancelled', async () => {
  const stop = new AbortController()
  const waiting = waitUntilHealthy([probe('http://127.0.0.1:1/', 60_000)], { ...quiet, signal: stop.signal })
  stop.abort()
  expect(await waiting).toMatchObject({ kind: 'aborted' })
})

test('a good answer that is found fault with does not count', async () => {
  const url = await serving((_, response) => void response.end('old'))
  const health = await waitUntilHealthy([probe(url, 600)], { ...quiet, accept: ({ body }) => (body === 'old' ? 'it is old' : null) })
  expect(health).toMatchObject({ kind: 'unhealthy', why: 'It did not answer well 5 times in a row within 0.6 s (last: it is old).' })
})

test('a version is read from an answer when it names a commit in full or by seven characters', () => {
  const commits = { next: 'abcdef0123456789abcdef0123456789abcdef01', previous: '1234567aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' }
  expect(versionIn('{"version":"abcdef0123456789abcdef0123456789abcdef01"}', commits)).toBe('next')
  expect(versionIn('v-ABCDEF0', commits)).toBe('next')
  expect(versionIn('shop 1234567a is up', commits)).toBe('previous')
  expect(versionIn('abcdef', commits)).toBe('unknown')
  expect(versionIn('abcdef09', commits)).toBe('unknown')
  expect(versionIn('1234567', { ...commits, previous: null })).toBe('unknown')
})

const probe = (http: string, within = 10_000) => ({ http, expect: 200, within })

async function serving(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  toClose.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/health`
}
