import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startWorkspace } from '../../playground/server/workspace.ts'
import { startEmbedded } from '../../src/store/embedded.ts'
import { openStore } from '../../src/store/pool.ts'
import { BIN, lockkeeper } from '../commands/operator/lockkeeper.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-start-'))
  await writeFile(join(directory, 'lockkeeper.yaml'), usable)
})

afterEach(() => rm(directory, { recursive: true, force: true }))

const usable = `
people: { "os:${userInfo().username}": U0BOB }
targets:
  prod:
    channel: C0DEPLOYS
    source: { repository: ./shop.git }
    database: { url: env:PROD_DATABASE_URL }
    tool: prisma
    approvals: { from: [user:U0BOB] }
`
const nobody = 'postgresql://u:hush@127.0.0.1:1/db'
const tokens = { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN: 'xapp-1', SLACK_API_URL: 'http://127.0.0.1:1/', PROD_DATABASE_URL: nobody }

test('everything that is wrong is told at once: the file, the variables and the tokens', async () => {
  await writeFile(
    join(directory, 'lockkeeper.yaml'),
    `
slack: { mode: soket }
targets:
  Prod:
    channel: deploys
    source: { repository: ./shop.git, brnch: main }
    database: { url: postgresql://me:pass@db/shop }
    tool: prisma
    approvals: { from: [user:U0BOB] }
  staging:
    channel: C0DEPLOYS
    source: { repository: ./shop.git }
    database: { url: env:STAGING_URL, lockTimeout: soon }
    tool: prisma
    approvals: { required: 2, from: [user:U0BOB] }
    timezone: Mars
    windows: { allow: "Tue 02:00-04:00" }
oncall: { webhook: env:ONCALL }
`,
  )
  expect(await lockkeeper([], { cwd: directory, env: { SLACK_API_URL: 'slack' } })).toEqual({
    code: 78,
    out: '',
    err: `lockkeeper.yaml cannot be used:
  slack.mode: must be socket or http
    For example: mode: socket
  targets.Prod: a target is named with small letters, digits and dashes
    Write another name.
  targets.staging.database.lockTimeout: "soon" is not a duration; write for example 2s, 15m or 4h
    For example: lockTimeout: 2s
  targets.Prod.channel: must be a channel id such as C0123456789 (open the channel details in Slack to copy it)
    For example: channel: C0123456789
  targets.Prod.source.brnch: "brnch" is not a known key here
    Did you mean "branch"?
  targets.Prod.database.url: must be env:NAME or file:/path, since secrets do not belong in this file
    For example: url: env:PROD_DATABASE_URL
  targets.staging.timezone: "Mars" is not a time zone
    Write a name such as America/New_York, Europe/Berlin or UTC.
  targets.staging.approvals: 2 approvals are required but only one person is named
    Name more people or a group, or require fewer. The requester never counts.
  targets.staging.database.url: the environment variable STAGING_URL is not set
    Set STAGING_URL where Lockkeeper is started.
  oncall.webhook: the environment variable ONCALL is not set
    Set ONCALL where Lockkeeper is started.
SLACK_BOT_TOKEN is not set. README, "Ten minutes to a real workspace", says where it comes from.
SLACK_APP_TOKEN is not set. README, "Ten minutes to a real workspace", says where it comes from.
SLACK_API_URL is not an address that begins with https://. Leave it out to use Slack itself.
`,
  })
  await nothingWasStarted()
})

test.each([
  ['an empty file', '', '  (file): must be a group of keys\n    For example: slack: { mode: socket }\n'],
  ['no target', 'targets: {}', '  targets: no target is configured\n    For example: targets: { prod: { … } }\n'],
])('%s', async (_, text, told) => {
  await writeFile(join(directory, 'lockkeeper.yaml'), text)
  expect(await lockkeeper([], { cwd: directory, env: tokens })).toEqual({
    code: 78,
    out: '',
    err: `lockkeeper.yaml cannot be used:\n${told}`,
  })
  await nothingWasStarted()
})

test('missing tokens end the start before PostgreSQL', async () => {
  expect(await lockkeeper([], { cwd: directory, env: { PROD_DATABASE_URL: nobody } })).toEqual({
    code: 78,
    out: '',
    err: 'SLACK_BOT_TOKEN is not set. README, "Ten minutes to a real workspace", says where it comes from.\nSLACK_APP_TOKEN is not set. README, "Ten minutes to a real workspace", says where it comes from.\n',
  })
  await nothingWasStarted()
})

test.each([
  [
    'nobody listens at the store',
    'postgresql://u:hush@127.0.0.1:1/store',
    'Nothing listens at 127.0.0.1:1. Check host and port of the URL, and that PostgreSQL runs. Or leave both out to use the embedded PostgreSQL.',
  ],
  [
    'the store is behind a pooler',
    'postgresql://u:hush@127.0.0.1:6432/store',
    "Its URL leads to a connection pooler: port 6432 is PgBouncer's. There a lock does not stay with who took it, and two bots would work on one run. Use 127.0.0.1:5432/store.",
  ],
  ['the store is no URL', 'hush', 'Its URL is wrong: it does not start with postgresql://.'],
])('%s: a sentence and code 69, for the bot and for a verb', async (_, url, why) => {
  const ended = {
    code: 69,
    out: '',
    err: `The store (STORE_URL, or store.url in lockkeeper.yaml) cannot be used. ${why}\n`,
  }
  expect(await lockkeeper([], { cwd: directory, env: { ...tokens, STORE_URL: url } })).toEqual(ended)
  expect(await lockkeeper(['history'], { cwd: directory, env: { ...tokens, STORE_URL: url } })).toEqual(ended)
  await nothingWasStarted()
})

test('a bot token that Slack refuses starts nothing', async () => {
  const slack = await startWorkspace({ rateLimits: false })
  try {
    const env = { ...tokens, SLACK_API_URL: slack.apiUrl, SLACK_BOT_TOKEN: 'xoxb-old' }
    expect(await lockkeeper([], { cwd: directory, env })).toEqual({
      code: 78,
      out: '',
      err: 'Slack refuses the bot token (invalid_auth). Nothing was started. Copy the token again from OAuth & Permissions (xoxb-…) into SLACK_BOT_TOKEN.\n',
    })
    await nothingWasStarted()
  } finally {
    await slack.close()
  }
})

test('an app-level token that Slack refuses, and a port that is taken, end the bot with what to do', async () => {
  const slack = await startWorkspace({ rateLimits: false })
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  try {
    const env = {
      ...tokens,
      SLACK_API_URL: slack.apiUrl,
      SLACK_BOT_TOKEN: slack.tokens.bot,
      SLACK_SIGNING_SECRET: slack.tokens.signingSecret,
    }
    const socket = await lockkeeper([], { cwd: directory, env })
    expect({ code: socket.code, err: socket.err }).toEqual({
      code: 78,
      err: 'Slack refuses the app-level token (invalid_auth). Make one with connections:write under Basic Information, App-Level Tokens (xapp-…), and put it into SLACK_APP_TOKEN. Socket Mode must be on.\n',
    })
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await writeFile(join(directory, 'lockkeeper.yaml'), `${usable}slack: { mode: http, port: ${port}, host: 127.0.0.1 }\n`)
    const http = await lockkeeper([], { cwd: directory, env })
    expect({ code: http.code, err: http.err }).toEqual({
      code: 78,
      err: `Port ${port} on 127.0.0.1 cannot be used: another program listens there. Choose another as slack.port in lockkeeper.yaml.\n`,
    })
  } finally {
    server.close()
    await slack.close()
    await (await startEmbedded({ directory: join(directory, 'var/postgres'), env: process.env })).remove()
  }
})

test('a verb borrows the embedded PostgreSQL of a running bot and leaves it running; alone it starts and stops its own', async () => {
  const alone = await lockkeeper(['history'], { cwd: directory, env: tokens })
  const ended = new Date()
  expect(alone).toEqual({ code: 0, out: 'Nothing was asked for yet. Begin with `lockkeeper plan prod`.\n', err: '' })
  const embedded = await startEmbedded({ directory: join(directory, 'var/postgres'), env: process.env })
  const bot = openStore(embedded.url, () => {})
  try {
    const startedAt = async () => (await bot.query<{ at: Date }>('select pg_postmaster_start_time() as at'))[0]?.at
    const before = await startedAt()
    expect(before?.getTime()).toBeGreaterThan(ended.getTime()) // the one of the verb is gone
    expect(await lockkeeper(['history'], { cwd: directory, env: tokens })).toEqual(alone)
    expect(await startedAt()).toEqual(before)
  } finally {
    await bot.close()
    await embedded.remove()
  }
})

test('help and --version need no configuration, from any directory and through a link', async () => {
  await rm(join(directory, 'lockkeeper.yaml'))
  await symlink(BIN, join(directory, 'link'))
  const help = await lockkeeper(['help'], { cwd: directory, bin: join(directory, 'link') })
  expect({ code: help.code, err: help.err }).toEqual({ code: 0, err: '' })
  expect(help.out).toContain('lockkeeper init    asks what it needs and writes lockkeeper.yaml')
  expect((await lockkeeper(['--version'], { cwd: directory })).out).toMatch(/^lockkeeper \d+\.\d+\.\d+\n$/)
  expect(await lockkeeper([], { cwd: directory })).toMatchObject({ code: 78, out: '' })
  await nothingWasStarted()
})

async function nothingWasStarted(): Promise<void> {
  expect(existsSync(join(directory, 'var'))).toBe(false)
  expect((await readdir(directory)).filter((name) => !['lockkeeper.yaml', 'link'].includes(name))).toEqual([])
}
