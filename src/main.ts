import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { parseArgs } from 'node:util'
import { check, checkText } from '../commands/check.ts'
import { CLI_COMMAND, runCli } from '../commands/cli.ts'
import { runInit } from '../commands/init.ts'
import { coreOf, openOwnStore, startApp } from './app.ts'
import { systemClock } from './clock.ts'
import type { Config } from './config/config.ts'
import { ConfigFault, EX_CONFIG, loadConfig, secretsOf } from './config/load.ts'
import { startClientEngine } from './engine/engine.ts'
import { createLog } from './log.ts'
import { createRedactor, secretsOfUrl, type Redactor } from './redact.ts'
import { createSlack } from './slack/client.ts'

/** `lockkeeper [--config FILE]` runs the bot; with a verb it answers that and ends. */
async function main(argv: readonly string[]): Promise<number> {
  const { path, words } = splitArguments(argv)
  if (words[0] === 'init') return (await runInit(path, existsSync(path))) ? 0 : 1
  const loaded = load(path)
  if (loaded === undefined) return EX_CONFIG
  if (words[0] === 'check') return runCheck(loaded)
  if (words.length > 0) return runVerb(loaded, words)
  const missing = missingTokens(loaded.config)
  if (missing.length > 0) {
    console.error(
      missing.map((name) => `${name} is not set. README, "Ten minutes to a real workspace", says where it comes from.`).join('\n'),
    )
    return EX_CONFIG
  }
  return runBot(loaded)
}

type Loaded = { readonly config: Config; readonly redactor: Redactor }

const TOKENS = ['SLACK_BOT_TOKEN', 'SLACK_APP_TOKEN', 'SLACK_SIGNING_SECRET'] as const

function load(path: string): Loaded | undefined {
  try {
    const config = loadConfig(path, process.env)
    const secrets = [...secretsOf(config), process.env.STORE_URL ?? ''].filter((one) => one !== '').flatMap(secretsOfUrl)
    return { config, redactor: createRedactor([...secrets, ...TOKENS.map((name) => process.env[name] ?? '')]) }
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error
    console.error(error.message)
    return undefined
  }
}

function missingTokens(config: Config): readonly string[] {
  const needed = ['SLACK_BOT_TOKEN', config.file.slack.mode === 'socket' ? 'SLACK_APP_TOKEN' : 'SLACK_SIGNING_SECRET']
  return needed.filter((name) => (process.env[name] ?? '') === '')
}

async function runBot({ config, redactor }: Loaded): Promise<never> {
  const log = createLog(redactor, config.file.log.level)
  // libraries' deprecations belong into the log, not between its lines
  process.removeAllListeners('warning')
  process.on('warning', (warning) => log.debug({ warning: warning.message }, 'Node warns'))
  const app = await startApp({ config, env: process.env, redactor, log, clock: systemClock })
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
  log.info('stopping; runs go on at the next start')
  await app.stop()
  // what a stopped process must not do any more (watch a migrator, wait for the store) would keep it alive
  process.exit(0)
}

async function runCheck({ config, redactor }: Loaded): Promise<number> {
  const log = createLog(redactor, 'error', process.stderr)
  const token = process.env.SLACK_BOT_TOKEN ?? ''
  const apiUrl = process.env.SLACK_API_URL
  const slack = token === '' ? undefined : createSlack({ botToken: token, log, ...(apiUrl === undefined ? {} : { apiUrl }) })
  const checked = await check({
    config,
    plan: { home: config.home, varDirectory: config.varDirectory, secret: config.secret, redactor, clock: systemClock, env: process.env },
    slack,
    tokens: { missing: missingTokens(config) },
    async reachStore() {
      await using stack = new AsyncDisposableStack()
      const db = await openOwnStore({ config, env: process.env, log }, stack)
      const [row] = await db.query<{ version: string }>(`select current_setting('server_version') as version`)
      const kind = config.file.store.url === undefined && (process.env.STORE_URL ?? '') === '' ? 'embedded PostgreSQL' : 'PostgreSQL'
      return `${kind} ${row?.version ?? ''}`
    },
  })
  console.log(redactor.text(checkText(checked)))
  return checked.some(({ level }) => level === 'bad') ? 1 : 0
}

async function runVerb({ config, redactor }: Loaded, words: readonly string[]): Promise<number> {
  const log = createLog(redactor, 'error', process.stderr)
  await using stack = new AsyncDisposableStack()
  const options = { config, env: process.env, redactor, log, clock: systemClock }
  const db = await openOwnStore(options, stack)
  const engine = await startClientEngine(db)
  stack.defer(engine.close)
  const apiUrl = process.env.SLACK_API_URL
  const slack = createSlack({ botToken: process.env.SLACK_BOT_TOKEN ?? '', log, ...(apiUrl === undefined ? {} : { apiUrl }) })
  const core = coreOf(options, db, slack, engine, CLI_COMMAND)
  return runCli(words, {
    ...core.verbs,
    login: userInfo().username,
    print: (line) => console.log(redactor.text(line)),
    complain: (line) => console.error(redactor.text(line)),
  })
}

/** `--config FILE` may stand anywhere; everything else belongs to the verb. */
function splitArguments(argv: readonly string[]): { readonly path: string; readonly words: readonly string[] } {
  const { tokens } = parseArgs({
    args: [...argv],
    options: { config: { type: 'string' } },
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const config = tokens.find((token) => token.kind === 'option' && token.name === 'config')
  const path = config?.kind === 'option' ? config.value : undefined
  const taken =
    config === undefined ? [] : [config.index, ...(config.kind === 'option' && config.inlineValue === false ? [config.index + 1] : [])]
  return { path: path ?? process.env.LOCKKEEPER_CONFIG ?? 'lockkeeper.yaml', words: argv.filter((_, index) => !taken.includes(index)) }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  // nothing is known of the secrets here unless the configuration was read, so only the message is shown
  console.error(`Lockkeeper could not go on: ${(error as Error).message}`)
  process.exitCode = 1
}
