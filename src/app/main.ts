import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Config } from '../config/config.ts'
import { environmentProblems } from '../config/environment.ts'
import { ConfigFault, EX_CONFIG, loadConfig, secretsOf } from '../config/load.ts'
import { keyPath } from '../evidence/keys.ts'
import { systemClock } from '../lib/clock.ts'
import { inTime } from '../lib/in-time.ts'
import { createLog, type Log } from '../lib/log.ts'
import { StartFault } from '../lib/start-fault.ts'
import { createRedactor, secretsOfHeaders, secretsOfUrl, type Redactor } from '../redact/redact.ts'
import type { Loaded } from './operator.ts'
import { catchStrayFaults } from './stray-faults.ts'

/** `lockkeeper [--config FILE]` runs the bot; with a verb it answers that and ends. Neither loads what only the other one needs. */
async function main(argv: readonly string[]): Promise<number> {
  const { path, words } = splitArguments(argv)
  const [first] = words
  if (first !== undefined) {
    const { runOperator } = await import('./operator.ts')
    return runOperator({ path, words, load, readConfig })
  }
  const loaded = load(path, first)
  return loaded === undefined ? EX_CONFIG : runBot(loaded)
}

const TOKENS = ['SLACK_BOT_TOKEN', 'SLACK_APP_TOKEN', 'SLACK_SIGNING_SECRET'] as const

/** Of the collector of traces. */
const HEADERS = ['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS'] as const

/** What is known of the secrets when the program ends by a fault. */
let known: Redactor | undefined

/** Nothing is known of the secrets before the configuration was read, so only the message is shown. */
function printFault(error: Error): void {
  const message = error instanceof StartFault ? error.message : `Lockkeeper could not go on: ${error.message}`
  console.error(known === undefined ? message : known.text(message))
}

/** What only asks has nothing to drain. */
const stray = catchStrayFaults((error) => {
  printFault(error)
  process.exit(1)
})

/** The key that signs evidence, where an earlier start or another process made one. */
function ownKey(config: Config): readonly string[] {
  const path = keyPath(config)
  return existsSync(path) ? [readFileSync(path, 'utf8')] : []
}

/** Undefined when something is wrong, which it has told whole: the file and the environment. `check` and `doctor` tell of the tokens themselves. */
function load(path: string, verb: string | undefined): Loaded | undefined {
  const config = readConfig(path)
  const mode = config instanceof ConfigFault ? 'socket' : config.file.slack.mode
  const needsNoToken = verb === 'check' || verb === 'doctor' || verb === 'evidence' || verb === 'review'
  const wrong = needsNoToken ? [] : environmentProblems(process.env, { mode, onlyAsks: verb !== undefined })
  if (!(config instanceof ConfigFault) && wrong.length === 0) {
    const secrets = [...secretsOf(config), process.env.STORE_URL ?? ''].filter((one) => one !== '').flatMap(secretsOfUrl)
    const headers = HEADERS.flatMap((name) => secretsOfHeaders(process.env[name] ?? ''))
    known = createRedactor([...secrets, ...headers, ...ownKey(config), ...TOKENS.map((name) => process.env[name] ?? '')])
    return { config, redactor: known }
  }
  for (const problem of [...(config instanceof ConfigFault ? [config.message] : []), ...wrong]) console.error(problem)
  return undefined
}

function readConfig(path: string): Config | ConfigFault {
  try {
    return loadConfig(path, process.env)
  } catch (error) {
    if (error instanceof ConfigFault) return error
    throw error
  }
}

async function runBot({ config, redactor }: Loaded): Promise<never> {
  const { startApp } = await import('./app.ts')
  const log = createLog(redactor, config.file.log.level)
  // libraries' deprecations belong into the log, not between its lines
  process.removeAllListeners('warning')
  process.on('warning', (warning) => log.debug({ warning: warning.message }, 'Node warns'))
  const { stop, strayed } = stopWhenAsked(log)
  const app = await startApp({ config, env: process.env, redactor, log, clock: systemClock, stop }).catch((error: unknown) => {
    if (stop.aborted) process.exit(strayed() ? 1 : 0) // asked while it waited for Slack; what had been started is stopped again by now
    throw error
  })
  if (!stop.aborted) await once(stop, 'abort')
  log.info('stopping; runs go on at the next start')
  const stopped = await inTime(app.stop(), STOP_MS)
  if (stopped.kind === 'late') log.warn(`not everything ended within ${STOP_MS / 1_000} s; what is left goes on as after a crash`)
  // what a stopped process must not do any more (watch a migrator, wait for the store) would keep it alive
  process.exit(stopped.kind === 'late' || strayed() ? 1 : 0)
}

/** By a signal, or by a fault that nobody caught: after that nobody knows what this process still does right, and a new one does. */
function stopWhenAsked(log: Log): { readonly stop: AbortSignal; readonly strayed: () => boolean } {
  const asked = new AbortController()
  let strayed = false
  let signals = 0
  for (const [signal, code] of Object.entries(stopSignals))
    process.on(signal, () => {
      if (signals++ > 0) process.exit(code)
      asked.abort()
    })
  stray.become((error) => {
    log.fatal({ error: String(error.stack) }, 'a fault that nobody caught; Lockkeeper stops, and runs go on at the next start')
    if (strayed) return
    strayed = true
    asked.abort()
    setTimeout(() => process.exit(1), STOP_MS + 1_000).unref() // also when it has not even started whole
  })
  return { stop: asked.signal, strayed: () => strayed }
}

/** The first one drains, the second one ends at once with the code that shells give to a program that a signal ended. */
const stopSignals = { SIGTERM: 143, SIGINT: 130 } as const

/** Services are given 60 s to stop; docs/operations.md says how they are used. */
const STOP_MS = 58_000

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
  printFault(error as Error)
  process.exitCode = error instanceof StartFault ? error.exitCode : 1
}
