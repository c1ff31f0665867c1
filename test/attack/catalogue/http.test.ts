import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { readFileSync, writeFileSync } from 'node:fs'
import pg from 'pg'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { botsFor } from '../../helpers/bots.ts'
import { until } from '../../helpers/until.ts'
import { lockkeeper } from '../../commands/operator/lockkeeper.ts'
import { freePort } from '../../helpers/flow.ts'
import type { Arena } from './arena.ts'
import { attackOver } from './runner.ts'

let arena: Arena
attackOver('http', (made) => (arena = made))

const settings = () => JSON.parse(readFileSync(arena.flow.configPath, 'utf8')) as { readonly slack: { readonly port: number } }
const port = () => settings().slack.port

afterEach(() => vi.restoreAllMocks())

test('what is not signed asks the store nothing', async () => {
  const seen = new Set<string>()
  const statements = vi.spyOn(pg.Client.prototype, 'query')
  const asked = () => {
    const texts = statements.mock.calls.map(([query]: readonly unknown[]) =>
      typeof query === 'string' ? query : ((query as { text?: string }).text ?? ''),
    )
    statements.mockClear()
    return texts.map((one) => one.replace(/\s+/g, ' ').slice(0, 80))
  }
  // what the bot asks when nobody comes: its look around, each second
  const quiet = performance.now() + 2_500
  await until('the bot has looked around', () => performance.now() > quiet)
  for (const one of asked()) seen.add(one)
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, at) => arena.post(at % 2 === 0 ? { secret: 'another-secret' } : { without: ['x-slack-signature'] })),
  )
  expect(new Set(answers)).toEqual(new Set(['401']))
  // what is due once a minute may fall into this time; what a delivery causes would be asked 200 times
  const caused = Map.groupBy(
    asked().filter((one) => !seen.has(one)),
    (one) => one,
  )
  expect([...caused].filter(([one, times]) => times.length > 5 || /into lockkeeper\.(seen|audit)/.test(one))).toEqual([])
  // and it would be noticed
  await arena.post()
  expect(
    asked()
      .filter((one) => !seen.has(one))
      .join(),
  ).toContain('lockkeeper.seen')
})

test('what was signed once is done once, by whichever process it comes to', async () => {
  const other = await freePort()
  const path = join(arena.flow.directory, 'second.yaml')
  writeFileSync(path, JSON.stringify({ ...settings(), slack: { ...settings().slack, port: other } }))
  const bots = botsFor({ configPath: path, env: arena.flow.env })
  try {
    await bots.start()
    const body = arena.body({ text: 'deploy old', user_id: 'U0ALICE' })
    const timestamp = String(Math.floor(Date.now() / 1000))
    const heard = arena.hearing(body)
    const before = arena.flow.slack.ephemerals('U0ALICE').length
    const answers = await Promise.all([
      arena.post({ body, timestamp, port: other }),
      arena.post({ body, timestamp }),
      arena.post({ body, timestamp, port: other }),
    ])
    expect(answers).toEqual(['200', '200', '200'])
    expect(await heard()).toContain('is asked for')
    await until('no answer is on its way', async () => {
      const [open] = await arena.flow.store.query(`select 1 from lockkeeper.answer where state in ('taken', 'due')`)
      return open === undefined
    })
    expect(arena.flow.slack.ephemerals('U0ALICE')).toHaveLength(before + 1)
    const requests = await arena.flow.store.query<{ id: number }>(
      `select id from lockkeeper.request where target = 'old' and state not in ('cancelled', 'expired')`,
    )
    expect(requests).toHaveLength(1)
    await arena.flow.reaches(requests[0]?.id ?? 0, 'waiting')
    expect(await arena.flow.answer(`cancel ${requests[0]?.id}`)).toContain('is cancelled')
  } finally {
    await bots.close()
  }
})

describe('connections that do not end', () => {
  const opened: Socket[] = []
  afterEach(() => {
    for (const socket of opened.splice(0)) socket.destroy()
  })
  const open = (bytes: string): Socket => {
    const socket = connect(port(), '127.0.0.1')
    socket.on('error', () => {}) // it is cut off
    socket.resume()
    socket.write(bytes)
    opened.push(socket)
    return socket
  }
  const signedHead = `x-slack-request-timestamp: ${Math.floor(Date.now() / 1000) + 60}\r\nx-slack-signature: v0=${'0'.repeat(64)}\r\ncontent-type: application/x-www-form-urlencoded\r\n`

  test('headers and bodies that never end are cut off, and others are answered meanwhile', async () => {
    const slow = [
      open('POST /slack/events HTTP/1.1\r\nhost: x\r\nx-slow: '),
      open(`POST /slack/events HTTP/1.1\r\nhost: x\r\n${signedHead}content-length: 100\r\n\r\ncomm`),
      open(`POST /slack/events HTTP/1.1\r\nhost: x\r\n${signedHead}transfer-encoding: chunked\r\n\r\n4\r\ncomm\r\n`),
    ]
    const drip = setInterval(() => slow.forEach((socket) => socket.writable && socket.write('1\r\n')), 500)
    try {
      expect(await arena.post()).toContain('200')
      await until('all are cut off', () => slow.every((socket) => socket.closed), 20_000)
    } finally {
      clearInterval(drip)
    }
  })

  test('600 that say nothing keep nobody out', async () => {
    for (let count = 0; count < 600; count++) open('')
    await until('the oldest had to go', () => opened.filter((socket) => socket.closed).length > 50, 10_000)
    const from = performance.now()
    expect(await arena.post()).toContain('200')
    expect(performance.now() - from).toBeLessThan(3_000)
  })
})

test.each([
  ['empty', ''],
  ['of white space', ' '.repeat(32)],
  ['short enough to be guessed', 'secret'],
])('the bot does not start with a signing secret that is %s', async (_, secret) => {
  const { code, out, err } = await lockkeeper(['--config', arena.flow.configPath], {
    cwd: arena.flow.directory,
    env: { ...arena.flow.env, SLACK_SIGNING_SECRET: secret },
  })
  expect({ code, out }).toEqual({ code: 78, out: '' })
  expect(err).toBe(
    secret === ''
      ? 'SLACK_SIGNING_SECRET is not set. README, "Ten minutes to a real workspace", says where it comes from.\n'
      : 'SLACK_SIGNING_SECRET is too short, or has spaces in it, so it could be guessed. Copy the whole of it from Basic Information, App Credentials.\n',
  )
})
