import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { parseArgs } from 'node:util'
import packageJson from '../../package.json' with { type: 'json' }
import { asPlainText } from '../../approvals/wording.ts'
import { parseAudit, runAudit } from '../../commands/operator/audit.ts'
import { parseStore, runTakeOver } from '../../commands/operator/store.ts'
import { check, checkText } from '../../commands/operator/check/check.ts'
import { CLI_COMMAND, CLI_MAINTENANCE, exitCodes, runCli } from '../../commands/cli.ts'
import { parseMaintenanceWords } from '../../commands/parse/window.ts'
import {
  EVIDENCE_USAGE,
  evidenceCodes,
  readEvidenceCommand,
  tellKeys,
  trustedIn,
  trustedOf,
  verifyFile,
  type Told,
} from '../../commands/operator/evidence.ts'
import { doctor, doctorText, type Finding } from '../../commands/operator/doctor/doctor.ts'
import { runInit } from '../../commands/operator/init.ts'
import { parseWords } from '../../commands/parse/command.ts'
import { verbs } from '../../commands/parse/usage.ts'
import { help } from '../../commands/verbs/help.ts'
import { humanIn } from '../../approvals/people.ts'
import { startApp } from './app.ts'
import { coreOf } from './services.ts'
import { watchAudit } from './may-run.ts'
import { storeId } from '../audit/health.ts'
import { openWitness, witnessPath } from '../audit/checkpoint.ts'
import { systemClock } from '../lib/clock.ts'
import type { Config } from '../config/config.ts'
import { environmentProblems } from '../config/environment.ts'
import { ConfigFault, EX_CONFIG, loadConfig, secretsOf } from '../config/load.ts'
import { startClientEngine } from '../engine/engine.ts'
import { keyPath, ownSigner } from '../evidence/keys.ts'
import { inTime } from '../lib/in-time.ts'
import { createLog, type Log } from '../lib/log.ts'
import { openOwnStore } from '../store/open.ts'
import { createRedactor, secretsOfHeaders, secretsOfUrl, type Redactor } from '../redact/redact.ts'
import { isRefusal } from '../lib/refusal.ts'
import { createSlack } from '../slack/client/client.ts'
import { slackAheadMs, tryAppToken } from '../slack/client/operator.ts'
import { StartFault } from '../lib/start-fault.ts'
import { catchStrayFaults } from './stray-faults.ts'

const { version } = packageJson

/** `lockkeeper [--config FILE]` runs the bot; with a verb it answers that and ends. */
async function main(argv: readonly string[]): Promise<number> {
  const { path, words } = splitArguments(argv)
  const [first] = words
  if (first === '--version') return say(`lockkeeper ${version}`)
  if (first === 'init') return init(path)
  if (isHelp(first)) return say(helpText(path, words))
  if (first === 'evidence') return runEvidence(path, words.slice(1))
  const loaded = load(path, first)
  if (loaded === undefined) return EX_CONFIG
  if (first === undefined) return runBot(loaded)
  if (first === 'store') return runStoreVerb(loaded, words.slice(1))
  if (first === 'audit') return runAuditVerb(loaded, words.slice(1))
  if (first === 'doctor') return runDoctor(loaded, words.includes('--json'))
  return first === 'check' ? runCheck(loaded) : runVerb(loaded, words)
}

type Loaded = { readonly config: Config; readonly redactor: Redactor }

const TOKENS = ['SLACK_BOT_TOKEN', 'SLACK_APP_TOKEN', 'SLACK_SIGNING_SECRET'] as const

/** Of the collector of traces. */
const HEADERS = ['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS'] as const

/** What is known of the secrets when the program ends by a fault. */
let known: Redactor | undefined

/** Nothing is known of the secrets before the configuration was read, so only the message is shown. */
function tellFault(error: Error): void {
  const message = error instanceof StartFault ? error.message : `Lockkeeper could not go on: ${error.message}`
  console.error(known === undefined ? message : known.text(message))
}

/** What only asks has nothing to drain. */
const stray = catchStrayFaults((error) => {
  tellFault(error)
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
  const needsNoToken = verb === 'check' || verb === 'doctor' || verb === 'evidence'
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

async function init(path: string): Promise<number> {
  if (process.stdin.isTTY && process.stdout.isTTY) return (await runInit(path, existsSync(path))) ? 0 : 1
  console.error(
    'lockkeeper init asks questions and needs a terminal. Start it in one, or copy a file of examples/ to lockkeeper.yaml and edit it. Nothing was written.',
  )
  return 1
}

const say = (text: string): number => {
  console.log(text)
  return 0
}

const isHelp = (word: string | undefined) => word === 'help' || word === '--help' || word === '-h'

/** Works without a configuration, since it is what people type first. */
function helpText(path: string, words: readonly string[]): string {
  const config = existsSync(path) ? readConfig(path) : undefined
  const targets = config === undefined || config instanceof ConfigFault ? [] : [...config.targets.keys()]
  const topic = verbs.find((verb) => verb === words[1])
  const reply = help({ targets, command: CLI_COMMAND }, topic ?? null)
  const text = asPlainText(reply.kind === 'said' ? reply.text : '')
  return topic === undefined ? `${text}\n\n${OPERATING}` : text
}

const OPERATING = `To set up and run it:
  lockkeeper init    asks what it needs and writes lockkeeper.yaml
  lockkeeper check   looks at the store, Slack and every target, and says what is missing
  lockkeeper audit   verify, list or accept: the log of who did what
  lockkeeper store   take-over: when another bot with the same token was stopped
  lockkeeper doctor  says what is wrong with an installation that runs, and how to mend it; --json for programs
  lockkeeper maintenance   windows: schedule, list, show, reschedule, cancel …; with help: how each is typed
  lockkeeper         runs the bot until SIGTERM or Ctrl-C
${EVIDENCE_USAGE}
  --config FILE      another file than lockkeeper.yaml; LOCKKEEPER_CONFIG does the same
  --version          which version this is`

async function runBot({ config, redactor }: Loaded): Promise<never> {
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

async function runCheck({ config, redactor }: Loaded): Promise<number> {
  const log = createLog(redactor, 'error', process.stderr)
  const token = process.env.SLACK_BOT_TOKEN ?? ''
  const apiUrl = process.env.SLACK_API_URL
  const slack = token === '' ? undefined : createSlack({ botToken: token, log, ...(apiUrl === undefined ? {} : { apiUrl }) })
  const checked = await check({
    config,
    plan: { home: config.home, varDirectory: config.varDirectory, secret: config.secret, redactor, clock: systemClock, env: process.env },
    slack,
    environment: environmentProblems(process.env, { mode: config.file.slack.mode, onlyAsks: false }),
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

async function runDoctor({ config, redactor }: Loaded, asJson: boolean): Promise<number> {
  const log = createLog(redactor, 'error', process.stderr)
  await using stack = new AsyncDisposableStack()
  const token = process.env.SLACK_BOT_TOKEN ?? ''
  const appToken = process.env.SLACK_APP_TOKEN ?? ''
  const apiUrl = process.env.SLACK_API_URL
  const at = apiUrl === undefined ? {} : { apiUrl }
  const findings = await doctor({
    config,
    plan: { home: config.home, varDirectory: config.varDirectory, secret: config.secret, redactor, clock: systemClock, env: process.env },
    slack: token === '' ? undefined : createSlack({ botToken: token, log, ...at }),
    environment: environmentProblems(process.env, { mode: config.file.slack.mode, onlyAsks: false }),
    openStore: () => openOwnStore({ config, env: process.env, log }, stack, (db) => db.query('select 1')),
    async appTokenRefused() {
      if (config.file.slack.mode !== 'socket' || appToken === '') return null
      const tried = await tryAppToken({ appToken, log, ...at })
      return tried.kind === 'refused' ? tried.error : null
    },
    witness: openWitness(witnessPath(config.varDirectory)),
    slackAheadMs: () => slackAheadMs(apiUrl),
    now: systemClock.now,
  })
  console.log(asJson ? JSON.stringify({ ok: isWell(findings), findings }, undefined, 2) : doctorText(findings))
  return isWell(findings) ? 0 : 1
}

const isWell = (findings: readonly Finding[]): boolean => findings.every(({ level }) => level !== 'wrong')

async function runVerb({ config, redactor }: Loaded, words: readonly string[]): Promise<number> {
  const targets = [...config.targets.keys()]
  const parsed =
    words[0] === 'maintenance'
      ? parseMaintenanceWords(words.slice(1), { targets, command: CLI_MAINTENANCE })
      : parseWords(words, { targets, command: CLI_COMMAND })
  if (isRefusal(parsed)) {
    // before the store is opened: a slip of the finger starts no PostgreSQL
    console.error(redactor.text(asPlainText(parsed.text)))
    return exitCodes.mistyped
  }
  const log = createLog(redactor, 'error', process.stderr)
  await using stack = new AsyncDisposableStack()
  const options = { config, env: process.env, redactor, log, clock: systemClock }
  const db = await openOwnStore(options, stack)
  const engine = await startClientEngine(db)
  stack.defer(engine.close)
  const apiUrl = process.env.SLACK_API_URL
  const slack = createSlack({ botToken: process.env.SLACK_BOT_TOKEN ?? '', log, ...(apiUrl === undefined ? {} : { apiUrl }) })
  const core = coreOf(options, db, slack, await watchAudit(options, db), engine, {
    migrate: CLI_COMMAND,
    maintenance: CLI_MAINTENANCE,
  })
  // awaited here: the store closes when this function is left
  return await runCli(words, {
    ...core.verbs,
    windows: core.windows,
    login: userInfo().username,
    print: (line) => console.log(redactor.text(line)),
    complain: (line) => console.error(redactor.text(line)),
  })
}

/** Reads no token: whoever verifies need not be able to speak for the bot. With a key of his own he needs no configuration either. */
async function runEvidence(path: string, words: readonly string[]): Promise<number> {
  const command = readEvidenceCommand(words)
  if (command.kind === 'mistyped') return told({ code: evidenceCodes.mistyped, text: command.text })
  if (command.kind === 'verify' && command.key !== null) {
    const trusted = await trustedIn(command.key)
    return told('code' in trusted ? trusted : await verifyFile(command.file, trusted))
  }
  const loaded = load(path, 'evidence')
  if (loaded === undefined) return EX_CONFIG
  const { config, redactor } = loaded
  await using stack = new AsyncDisposableStack()
  const db = await openOwnStore({ config, env: process.env, log: createLog(redactor, 'error', process.stderr) }, stack)
  if (command.kind === 'verify') return told(await verifyFile(command.file, await trustedOf(db)))
  await ownSigner(db, config)
  return told(await tellKeys(db))
}

function told({ code, text }: Told): number {
  if (code === evidenceCodes.whole) console.log(text)
  else console.error(text)
  return code
}

async function runAuditVerb({ config, redactor }: Loaded, words: readonly string[]): Promise<number> {
  const command = parseAudit(words)
  if (typeof command === 'string') {
    console.error(redactor.text(command))
    return exitCodes.mistyped
  }
  const log = createLog(redactor, 'error', process.stderr)
  await using stack = new AsyncDisposableStack()
  const db = await openOwnStore({ config, env: process.env, log }, stack)
  const account = `os:${userInfo().username}`
  return await runAudit(command, {
    db,
    witness: openWitness(witnessPath(config.varDirectory)),
    account,
    human: humanIn(config.file.people)(account),
    print: (line) => console.log(redactor.text(line)),
    complain: (line) => console.error(redactor.text(line)),
    now: () => performance.now(),
  })
}

async function runStoreVerb({ config, redactor }: Loaded, words: readonly string[]): Promise<number> {
  const command = parseStore(words)
  if (typeof command === 'string') {
    console.error(redactor.text(command))
    return exitCodes.mistyped
  }
  const log = createLog(redactor, 'error', process.stderr)
  await using stack = new AsyncDisposableStack()
  const db = await openOwnStore({ config, env: process.env, log }, stack)
  const apiUrl = process.env.SLACK_API_URL
  const account = `os:${userInfo().username}`
  return await runTakeOver({
    db,
    slack: createSlack({ botToken: process.env.SLACK_BOT_TOKEN ?? '', log, ...(apiUrl === undefined ? {} : { apiUrl }) }),
    store: await storeId(db),
    channels: [...config.targets.values()].map(({ channel }) => channel),
    account,
    human: humanIn(config.file.people)(account),
    reason: command.reason,
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
  tellFault(error as Error)
  process.exitCode = error instanceof StartFault ? error.exitCode : 1
}
