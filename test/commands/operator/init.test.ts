import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../../../src/config/load.ts'
import { lockkeeper, lockkeeperInTerminal } from './lockkeeper.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-init-'))
})

afterEach(() => rm(directory, { recursive: true, force: true }))

const answers = [
  { at: 'Name of the target', type: '' },
  { at: 'How it is called', type: 'Shop' },
  { at: 'Slack channel id', type: 'deploys' },
  { at: 'An id such as C0123456789, not the name.', type: `${'\x7f'.repeat(7)}C0DEPLOYS` },
  { at: 'Git repository', type: '/srv/shop.git' },
  { at: 'Branch from which', type: '' },
  { at: 'Directory of the application', type: '' },
  { at: 'Where the database URL is', type: '' },
  { at: 'Who may approve', type: 'group:S0DBA, user:U0BOB' },
  { at: 'How many of them', type: '' },
  { at: 'Git clone on this machine', type: '/srv/shop' },
  { at: 'Command that restarts', type: 'pm2 restart shop' },
  { at: 'Health endpoint', type: 'https://shop.example/health' },
]

test('init asks in a terminal, explains a wrong answer, and writes a file that can be used', async () => {
  const { code, screen } = await lockkeeperInTerminal(['init'], directory, answers)
  expect(code).toBe(0)
  expect(screen).toContain('Set SLACK_BOT_TOKEN, SLACK_APP_TOKEN and PROD_DATABASE_URL.')
  const file = join(directory, 'lockkeeper.yaml')
  expect(parse(await readFile(file, 'utf8'))).toEqual({
    slack: { mode: 'socket' },
    targets: {
      prod: {
        label: 'Shop',
        channel: 'C0DEPLOYS',
        source: { repository: '/srv/shop.git', branch: 'main' },
        database: { url: 'env:PROD_DATABASE_URL' },
        tool: 'prisma',
        approvals: { required: 1, from: ['group:S0DBA', 'user:U0BOB'] },
        prepare: [{ name: 'Fetch', cwd: '/srv/shop', run: ['git', 'fetch', '--quiet', 'origin'] }],
        deploy: [
          { name: 'Switch', cwd: '/srv/shop', run: ['git', 'checkout', '--quiet', '--detach', '{commit}'], repeatable: true },
          { name: 'Install', cwd: '/srv/shop', run: ['npm', 'ci'], repeatable: true },
          { name: 'Restart', cwd: '/srv/shop', run: ['pm2', 'restart', 'shop'], repeatable: true },
        ],
        current: ['git', '-C', '/srv/shop', 'rev-parse', 'HEAD'],
        health: [{ http: 'https://shop.example/health' }],
      },
    },
  })
  expect(loadConfig(file, { PROD_DATABASE_URL: 'postgresql://u:p@db/shop' }).targets.get('prod')?.title).toBe('Shop')
})

test('init leaves a file that exists alone unless it is told to replace it', async () => {
  const file = join(directory, 'lockkeeper.yaml')
  await writeFile(file, 'mine')
  const { code, screen } = await lockkeeperInTerminal(['init'], directory, [{ at: 'lockkeeper.yaml exists. Replace it?', type: '' }])
  expect(code).toBe(1)
  expect(screen).toContain('Nothing was written.')
  expect(await readFile(file, 'utf8')).toBe('mine')
})

test('Ctrl-C in the middle writes nothing', async () => {
  const { code, screen } = await lockkeeperInTerminal(['init'], directory, [{ at: 'Name of the target', type: '\x03' }])
  expect(code).toBe(1)
  expect(screen).toContain('Nothing was written.')
  expect(existsSync(join(directory, 'lockkeeper.yaml'))).toBe(false)
})

test('without a terminal init says what to do instead', async () => {
  expect(await lockkeeper(['init'], { cwd: directory })).toEqual({
    code: 1,
    out: '',
    err: 'lockkeeper init asks questions and needs a terminal. Start it in one, or copy a file of examples/ to lockkeeper.yaml and edit it. Nothing was written.\n',
  })
})
