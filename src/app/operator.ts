import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import packageJson from '../../package.json' with { type: 'json' }
import { asPlainText } from '../../approvals/wording.ts'
import { parseAudit, runAudit } from '../../commands/operator/audit.ts'
import { parseStore, runTakeOver } from '../../commands/operator/store.ts'
import { check, checkText } from '../../commands/operator/check/check.ts'
import { CLI_COMMAND, CLI_MAINTENANCE, exitCodes, runCli } from '../../commands/cli.ts'
import { parseWindowWords } from '../../commands/parse/window.ts'
import {
  EVIDENCE_USAGE,
  evidenceCodes,
  readEvidenceCommand,
  printKeys,
  trustedIn,
  trustedOf,
  verifyFile,
  type Printed,
} from '../../commands/operator/evidence.ts'
import { askedBy } from '../../commands/operator/review/asked.ts'
import { readReviewCommand, REVIEW_USAGE } from '../../commands/operator/review/command.ts'
import { review, reviewCodes } from '../../commands/operator/review/review.ts'
import { doctor, doctorText, type Finding } from '../../commands/operator/doctor/doctor.ts'
import { parseWords } from '../../commands/parse/command.ts'
import { verbs } from '../../commands/parse/usage.ts'
import { help } from '../../commands/verbs/help.ts'
import { humanIn } from '../../approvals/people.ts'
import { coreOf } from './services.ts'
import { watchAudit } from './may-run.ts'
import type { Redactor } from '../redact/redact.ts'
import { storeId } from '../audit/health.ts'
import { openCheckpoint, checkpointPath } from '../audit/checkpoint.ts'
import { systemClock } from '../lib/clock.ts'
import type { Config } from '../config/config.ts'
import { environmentProblems } from '../config/environment.ts'
import { ConfigFault, EX_CONFIG } from '../config/load.ts'
import { startClientEngine } from '../engine/engine.ts'
import { ownSigner } from '../evidence/keys.ts'
import { createLog } from '../lib/log.ts'
import { openOwnStore } from '../store/open.ts'
import { isRefusal } from '../lib/refusal.ts'
import { createSlack } from '../slack/client/client.ts'
import { tryAppToken } from '../slack/client/operator.ts'
import { readSlackClock } from '../slack/client/time.ts'

const { version } = packageJson

export type Loaded = { readonly config: Config; readonly redactor: Redactor }

/** What an operator typed, and how the configuration is read, which tells by itself what is wrong with it. */
export type Typed = {
  readonly path: string
  readonly words: readonly string[]
  readonly load: (path: string, verb: string | undefined) => Loaded | undefined
  readonly readConfig: (path: string) => Config | ConfigFault
}

/** Answers one verb; gives the exit code. */
export async function runOperator(typed: Typed): Promise<number> {
  const { path, words, load } = typed
  const [first] = words
  if (first === '--version') return say(`lockkeeper ${version}`)
  if (first === 'init') return init(path)
  if (isHelp(first)) return say(helpText(typed))
  if (first === 'evidence') return runEvidence(typed, words.slice(1))
  if (first === 'review') return runReview(typed, words.slice(1))
  const loaded = load(path, first)
  if (loaded === undefined) return EX_CONFIG
  if (first === 'store') return runStoreVerb(loaded, words.slice(1))
  if (first === 'audit') return runAuditVerb(loaded, words.slice(1))
  if (first === 'doctor') return runDoctor(loaded, words.includes('--json'))
  return first === 'check' ? runCheck(loaded) : runVerb(loaded, words)
}

const isHelp = (word: string | undefined) => word === 'help' || word === '--help' || word === '-h'

async function init(path: string): Promise<number> {
  if (process.stdin.isTTY && process.stdout.isTTY) {
    const { runInit } = await import('../../commands/operator/init.ts')
    return (await runInit(path, existsSync(path))) ? 0 : 1
  }
  console.error(
    'lockkeeper init asks questions and needs a terminal. Start it in one, or copy a file of examples/ to lockkeeper.yaml and edit it. Nothing was written.',
  )
  return 1
}

const say = (text: string): number => {
  console.log(text)
  return 0
}

/** Works without a configuration, since it is what people type first. */
function helpText({ path, words, readConfig }: Typed): string {
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
${REVIEW_USAGE}
  --config FILE      another file than lockkeeper.yaml; LOCKKEEPER_CONFIG does the same
  --version          which version this is`

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
    checkpointFile: openCheckpoint(checkpointPath(config.varDirectory)),
    slackClock: () => readSlackClock(createSlack({ botToken: token, log, ...at }), systemClock),
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
      ? parseWindowWords(words.slice(1), { targets, command: CLI_MAINTENANCE })
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
async function runEvidence({ path, load }: Typed, words: readonly string[]): Promise<number> {
  const command = readEvidenceCommand(words)
  if (command.kind === 'mistyped') return print({ code: evidenceCodes.mistyped, text: command.text })
  if (command.kind === 'verify' && command.key !== null) {
    const trusted = await trustedIn(command.key)
    return print('code' in trusted ? trusted : await verifyFile(command.file, trusted))
  }
  const loaded = load(path, 'evidence')
  if (loaded === undefined) return EX_CONFIG
  const { config, redactor } = loaded
  await using stack = new AsyncDisposableStack()
  const db = await openOwnStore({ config, env: process.env, log: createLog(redactor, 'error', process.stderr) }, stack)
  if (command.kind === 'verify') return print(await verifyFile(command.file, await trustedOf(db)))
  await ownSigner(db, config)
  return print(await printKeys(db))
}

/** Needs no configuration unless a target of it is named, since it also runs where the application is built. */
async function runReview({ path, load }: Typed, words: readonly string[]): Promise<number> {
  const command = readReviewCommand(words)
  if (typeof command === 'string') return print({ code: exitCodes.mistyped, text: command })
  const loaded = command.by.kind === 'target' ? load(path, 'review') : null
  if (loaded === undefined) return EX_CONFIG
  const found = askedBy(command.by, loaded, process.env)
  if (typeof found === 'string') return print({ code: exitCodes.mistyped, text: found })
  const today = new Date(systemClock.now()).toISOString().slice(0, 10)
  const { code, text } = await review(command, { ...found, cwd: process.cwd(), env: process.env, version, today })
  if (code === reviewCodes.failed) console.error(found.redactor.text(text))
  else console.log(found.redactor.text(text))
  return code
}

function print({ code, text }: Printed): number {
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
    checkpointFile: openCheckpoint(checkpointPath(config.varDirectory)),
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
