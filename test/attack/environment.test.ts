import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { split } from '../../src/app/handover.ts'
import { launchBots, type Bots } from '../helpers/bots.ts'
import { startFlow, type Flow } from '../helpers/flow.ts'
import { linkCommand, shopModules } from '../helpers/sample.ts'
import { until } from '../helpers/until.ts'
import { BIN } from '../commands/operator/lockkeeper.ts'

let flow: Flow | undefined
afterEach(async () => {
  await flow?.close()
  flow = undefined
})

const CANARY = 'kanarienvogel-im-bergwerk'

/** Looks into every process of the machine that it may look into, and writes down in whose environment the canary stands. */
const PRY = `
  const fs = require('fs'), found = [], read = [];
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\\d+$/.test(name))) {
    if (pid === String(process.pid)) continue;
    try {
      const environment = fs.readFileSync('/proc/' + pid + '/environ', 'latin1');
      if (/TMPDIR=.*lockkeeper-flow-/.test(environment)) read.push(pid);
      if (environment.includes('kanarienvogel')) found.push(pid + ' ' + fs.readFileSync('/proc/' + pid + '/cmdline', 'latin1').replaceAll('\\0', ' '));
    } catch {}
    try {
      for (const fd of fs.readdirSync('/proc/' + pid + '/fd'))
        if (fs.readlinkSync('/proc/' + pid + '/fd/' + fd).includes('(deleted)') && fs.readFileSync('/proc/' + pid + '/fd/' + fd, 'latin1').includes('kanarienvogel')) found.push(pid + ' fd ' + fd);
    } catch {}
  }
  fs.writeFileSync(process.argv[1], JSON.stringify({ found, read}))`

test('install, build and deploy steps that look into every process find no secret of the bot in its environment', async () => {
  const [program, ...words] = linkCommand(await shopModules())
  const link = `require('child_process').execFileSync(${JSON.stringify(program)}, ${JSON.stringify(words)});`
  let bots: Bots | undefined
  const pry = (directory: string, name: string, more = '') => ['node', '-e', more + PRY, join(directory, `pry-${name}`)]
  flow = await startFlow({
    launch: launchBots({ LAUNCH: 'yes' }, (received) => (bots = received)),
    env: (directory) => {
      mkdirSync(join(directory, 'tmp'), { recursive: true })
      return { TMPDIR: join(directory, 'tmp'), SLACK_SIGNING_SECRET: CANARY, SOME_LATER_SECRET: `${CANARY}-too` }
    },
    pending: 0,
    target: ({ directory, repository }) => ({
      source: { repository, branch: 'main', install: pry(directory, 'install', link) },
      prepare: [{ name: 'Build', run: pry(directory, 'build') }],
      deploy: [{ name: 'Switch', run: pry(directory, 'deploy') }],
    }),
  })
  // shows that it would be found
  const decoy = spawn('sleep', ['120'], { env: { SOME_SECRET: CANARY, TMPDIR: `${flow.directory}/tmp` }, stdio: 'ignore' })
  try {
    const request = await flow.ask()
    await flow.approve(request.id)
    await flow.reaches(request.id, 'succeeded')
  } finally {
    decoy.kill('SIGKILL')
  }
  for (const name of ['install', 'build', 'deploy']) {
    const { found, read } = JSON.parse(readFileSync(join(flow.directory, `pry-${name}`), 'utf8')) as {
      readonly found: readonly string[]
      readonly read: readonly string[]
    }
    expect(found).toEqual([`${decoy.pid} sleep 120 `])
    expect(read).toContain(String(bots?.all()[0]?.pid)) // the bot was among those it could read
  }
})

describe('the program as people start it', () => {
  test('shows nothing of its environment but what anybody may see, keeps its process id, and knows its secrets', async () => {
    const server = await startFlow({ launch: launchBots({}, () => {}) }) // a workspace, a store and a configuration for it
    flow = server
    await server.stop()
    const bot = spawn(BIN, ['--config', server.configPath], {
      env: { ...server.env, SOME_SECRET: CANARY },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    let log = ''
    bot.stdout.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')))
    try {
      await until('the bot is up', () => log.includes('Lockkeeper is up'))
      const shown = readFileSync(`/proc/${bot.pid}/environ`, 'latin1').split('\0').filter(Boolean)
      const names = shown.flatMap((one) => one.split('=')[0] ?? []).filter((name) => !name.startsWith('MALLOC_'))
      expect(new Set(names)).toEqual(new Set(['HOME', 'LOCKKEEPER_HANDED_OVER', 'PATH', 'PWD']))
      expect(readlinkSync(`/proc/${bot.pid}/fd/0`)).toBe('/dev/null')
      expect(log).not.toContain('Warning')
    } finally {
      const ended = once(bot, 'exit')
      bot.kill('SIGTERM')
      expect(await ended).toEqual([0, null])
    }
  })

  test('hides what it does not know', () => {
    expect(
      split({ PATH: '/bin', SLACK_BOT_TOKEN: 'x', PGPASSWORD: 'y', OTEL_EXPORTER_OTLP_HEADERS: 'key=x', AWS_SECRET: 'z', NONE: undefined }),
    ).toEqual({
      visible: { PATH: '/bin' },
      hidden: { SLACK_BOT_TOKEN: 'x', PGPASSWORD: 'y', OTEL_EXPORTER_OTLP_HEADERS: 'key=x', AWS_SECRET: 'z' },
    })
  })
})
