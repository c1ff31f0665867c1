import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startWorkspace } from '../../playground/server/workspace.ts'
import { botsFor } from '../helpers/bots.ts'
import { createDatabase } from '../helpers/postgres.ts'

/** What is loaded by whoever asks for it, with who asks. Each takes 1 to 20 MB, or is the door to what does. */
const ASKED_FOR = [
  'node_modules/@clack/', // lockkeeper init
  'node_modules/@opentelemetry/sdk-trace/', // a collector is named
  'node_modules/chrono-node/', // a time is typed
  'node_modules/date-holidays/', // a target keeps holidays
  'node_modules/execa/', // the first child
  'node_modules/express/', // nobody: Bolt's receiver for it
  'node_modules/ical-generator/', // a calendar is read or mailed
  'node_modules/libpg-query/', // the first plan
  'node_modules/nodemailer/', // a mail is sent
  'node_modules/prom-client/', // a port for metrics is named
  'commands/operator/', // a verb at the machine
  'playground/',
]

test('a bot that nobody asks for anything has not loaded what answers', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-quiet-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const [store, slack] = await Promise.all([createDatabase(), startWorkspace({ rateLimits: false })])
  onTestFinished(() => Promise.all([store.close(), slack.close()]).then(() => {}))
  const configPath = join(directory, 'lockkeeper.yaml')
  await writeFile(configPath, CONFIGURATION)
  const list = join(directory, 'modules')
  const bots = botsFor({
    configPath,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      SLACK_BOT_TOKEN: slack.tokens.bot,
      SLACK_APP_TOKEN: slack.tokens.app,
      SLACK_API_URL: slack.apiUrl,
      STORE_URL: store.url,
      PROD_DATABASE_URL: store.url,
      NODE_OPTIONS: `--import ${join(import.meta.dirname, '../helpers/list-modules.mjs')}`,
      LOCKKEEPER_TEST_MODULES: list,
    },
  })
  onTestFinished(bots.close)
  await bots.start()
  const loaded = [...new Set((await readFile(list, 'utf8')).split('\n'))]
  // the list is one: what every bot needs stands in it
  expect(loaded.filter((url) => url.includes('/src/app/app.ts') || url.includes('/@slack/bolt/dist/App.js'))).toHaveLength(2)
  expect(loaded.filter((url) => ASKED_FOR.some((part) => url.includes(part)))).toEqual([])
})

const CONFIGURATION = `
targets:
  prod:
    channel: C0DEPLOYS
    source: { repository: ./shop.git }
    database: { url: env:PROD_DATABASE_URL }
    tool: prisma
    approvals: { from: [user:U0BOB] }
`
