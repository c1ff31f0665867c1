import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, open, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { startEmbedded } from '../src/store/embedded.ts'
import { buildPage } from './build-page.ts'
import { makeSample } from './sample.ts'
import { makeSevenSample } from './shop7/sample.ts'
import { makeRunnerSample } from './shop8/sample.ts'
import { startWorkspace } from './server/workspace.ts'

/**
 * `npm run playground`: PostgreSQL, the sample shop under PM2, a Slack in a box and the bot, and one address to open. Everything lies
 * below var/playground (`--home DIRECTORY`); Ctrl-C ends all of it, and the next start finds the shop as it was left. `--fresh` begins
 * anew, `--temporary` leaves no database behind, `--port N` takes another port than 4400. `--prisma 7` and
 * `--prisma 8` add a target with that version.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      home: { type: 'string' },
      port: { type: 'string', default: '4400' },
      fresh: { type: 'boolean', default: false },
      temporary: { type: 'boolean', default: false },
      prisma: { type: 'string' },
    },
  })
  const more = otherOf(values.prisma)
  const home = resolve(values.home ?? join(import.meta.dirname, '../var/playground'))
  const stack: (() => Promise<unknown>)[] = []
  const ending = new AbortController()
  const end = () => ending.abort()
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
  try {
    const url = await start(
      { home, fresh: values.fresh, temporary: values.temporary, port: Number(values.port), more },
      stack,
      ending.signal,
    )
    if (url !== undefined) {
      console.log(
        `\nOpen ${url}\n\n  1. As Alice, type /migrate deploy ${more === null ? 'prod' : `shop${more}`}.\n  2. As Bob, press Approve.\n  3. Watch the thread.\n\nCtrl-C ends it. The bot's log is ${near(join(home, 'lockkeeper.log'))}.`,
      )
      await aborted(ending.signal)
    }
  } finally {
    console.log('\nEnding the playground.')
    for (const act of stack.toReversed()) await act()
  }
}

type Other = '7' | '8'

function otherOf(asked: string | undefined): Other | null {
  if (asked === undefined || asked === '6') return null
  if (asked === '7' || asked === '8') return asked
  throw new Error(`--prisma takes 7 or 8 (the sample shop itself is one of Prisma 6), and ${asked} is none of them.`)
}

function makeOther(
  more: Other | null,
  { home, serverUrl, say }: { readonly home: string; readonly serverUrl: string; readonly say: (text: string) => void },
) {
  const options = { directory: join(home, `shop${more ?? ''}`), serverUrl, say }
  return more === null ? null : more === '7' ? makeSevenSample(options) : makeRunnerSample(options)
}

/** As short as it can be typed from here. */
function near(path: string): string {
  const short = relative(process.cwd(), path)
  return short.startsWith('..') ? path : short
}

type Wish = {
  readonly home: string
  readonly fresh: boolean
  readonly temporary: boolean
  readonly port: number
  readonly more: Other | null
}

async function start(
  { home, fresh, temporary, port, more }: Wish,
  stack: (() => Promise<unknown>)[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const began = performance.now()
  const say = (text: string) => console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(5)} s  ${text}`)
  await mkdir(home, { recursive: true })
  say('PostgreSQL starts')
  const server = await startEmbedded({ directory: join(home, 'postgres'), env: process.env })
  if (fresh) {
    await server.remove()
    await rm(home, { recursive: true, force: true })
    await mkdir(home, { recursive: true })
    return start({ home, fresh: false, temporary, port, more }, stack, signal)
  }
  stack.push(temporary ? server.remove : server.stop)
  say('the sample shop is made: a repository, staging and production, the shop itself under PM2')
  const [sample, page] = await Promise.all([makeSample({ directory: join(home, 'sample'), serverUrl: server.url }), buildPage()])
  stack.push(sample.close)
  const other = await makeOther(more, { home, serverUrl: server.url, say })
  if (signal.aborted) return undefined
  say(sample.found ? 'the shop of the last time is up again' : 'the shop is up')
  const workspace = await startWorkspace({ port: await portOr(port), pageDirectory: page.directory })
  stack.push(workspace.close)
  await writeFile(join(home, 'lockkeeper.yaml'), `${sample.configuration}${other?.target ?? ''}`)
  const store = new URL(server.url)
  store.pathname = '/lockkeeper'
  await ensureDatabase(server.url, 'lockkeeper')
  const bot = await startBot(home, {
    ...sample.env,
    ...other?.env,
    STORE_URL: store.href,
    SLACK_API_URL: workspace.apiUrl,
    SLACK_BOT_TOKEN: workspace.tokens.bot,
    SLACK_APP_TOKEN: workspace.tokens.app,
    SLACK_SIGNING_SECRET: workspace.tokens.signingSecret,
  })
  stack.push(() => stopBot(bot))
  say('Lockkeeper starts')
  await workspace.waitFor(() => workspace.state().bot.connected || bot.exitCode !== null, { timeoutMs: 60_000, what: 'the bot' })
  if (bot.exitCode !== null) throw new Error(`Lockkeeper ended with code ${bot.exitCode}. Its log is ${join(home, 'lockkeeper.log')}.`)
  // for whoever wants to look into the databases with psql
  await writeFile(join(home, 'playground.json'), JSON.stringify({ url: workspace.url, ...sample.env, STORE_URL: store.href }, null, 2), {
    mode: 0o600,
  })
  say('ready')
  return workspace.url
}

/** The store is a database of its own beside the shop's, and the bot a process of its own, as they would be in production. */
async function ensureDatabase(serverUrl: string, name: string): Promise<void> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: serverUrl })
  await client.connect()
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name])
    if (rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(name)}`)
  } finally {
    await client.end()
  }
}

async function startBot(home: string, env: Readonly<Record<string, string>>): Promise<ChildProcess> {
  const log = await open(join(home, 'lockkeeper.log'), 'a', 0o600)
  try {
    return spawn(process.execPath, [resolve(import.meta.dirname, '../src/app/launch.ts'), '--config', join(home, 'lockkeeper.yaml')], {
      cwd: home,
      env: { ...process.env, ...env },
      stdio: ['ignore', log.fd, log.fd],
    })
  } finally {
    await log.close()
  }
}

async function stopBot(bot: ChildProcess): Promise<void> {
  if (bot.exitCode !== null || bot.signalCode !== null) return
  const ended = new Promise((done) => bot.once('exit', done))
  bot.kill('SIGTERM')
  const force = setTimeout(() => bot.kill('SIGKILL'), 20_000)
  await ended
  clearTimeout(force)
}

/** The usual port, or any when somebody has it: the address stays the same from start to start. */
function portOr(wanted: number): Promise<number> {
  return new Promise((done) => {
    const probe = createServer()
    probe.once('error', () => done(0))
    probe.listen(wanted, '127.0.0.1', () => probe.close(() => done(wanted)))
  })
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((done) => (signal.aborted ? done() : signal.addEventListener('abort', () => done(), { once: true })))

await main()
