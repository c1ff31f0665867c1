import { hostname } from 'node:os'
import { schedule } from 'node-cron'
import packageJson from '../../package.json' with { type: 'json' }
import { expireDue, expiryIsDue } from '../../approvals/decisions/expiry.ts'
import { createBolt } from '../../commands/bolt.ts'
import { listen } from '../../commands/slack.ts'
import { forgetOldKeys } from '../../commands/dedupe.ts'
import { storeId, whyNoRun as whyNoRunOf } from '../audit/health.ts'
import { recordStart } from '../audit/lifecycle.ts'
import { createStoreGuard } from '../audit/split-brain.ts'
import type { AuditWatch } from '../audit/watch.ts'
import type { Config } from '../config/config.ts'
import type { Db } from '../store/pool.ts'
import { actOnDue, type Due } from '../store/due.ts'
import { openEngine } from '../engine/engine.ts'
import { LIVENESS_LOCK } from '../engine/liveness.ts'
import { createDeliveries, forgetOldDeliveries } from '../notifications/deliveries.ts'
import { serveCalendar } from '../windows/feed/feed.ts'
import { createOncall } from '../notifications/on-call.ts'
import { createSender } from '../notifications/send.ts'
import { createHomes } from '../../approvals/home/publish.ts'
import { readStoreGauges } from '../observability/store-gauges.ts'
import type { Address } from '../observability/http.ts'
import { lookAtAudit, lookAtLiveness, lookAtSlack, lookAtStore } from '../observability/parts.ts'
import { startOperation, type Operation } from '../observability/start.ts'
import { openOwnStore } from '../store/open.ts'
import { requestSource } from '../request/message-source.ts'
import { startSlotsDue } from '../request/start-slot.ts'
import { removeSettledRuns } from '../run/retention.ts'
import { createInFlight } from '../run/in-flight.ts'
import { createSlack } from '../slack/client/client.ts'
import { refuseWrongToken, whoAmI, whyNotListening } from './wire-slack.ts'
import { createAnswers } from '../slack/answers/answers.ts'
import { forgetOldAnswers } from '../slack/answers/rows.ts'
import { createOutbox } from '../slack/outbox/outbox.ts'
import { every } from '../lib/repeat.ts'
import { morningLines } from '../../commands/verbs/status/morning.ts'
import { windowParts } from './wire-windows.ts'
import type { AppOptions } from './options.ts'
import { coreOf } from './services.ts'
import { keepAudit, readClocks, logClocks, watchAudit, type MayRun } from './may-run.ts'
import { requestPorts, workflowOf } from './wire-run.ts'

export type App = {
  readonly db: Db
  readonly audit: AuditWatch
  /** Where /livez, /readyz and /metrics are; null when they are not served. */
  readonly operation: Address | null
  /** Takes nothing new, finishes or hands over what is in hand, and sends what is due. */
  readonly stop: () => Promise<void>
}

const DUE_LOOK_MS = 1_000
/** Once an hour, at a minute at which nothing else is due. */
const FORGET_AT = '17 * * * *'
const RETENTION_MS = 60_000
/** What is due in Slack when the process is asked to stop; another replica or the next start sends the rest. */
const DRAIN_MS = 5_000

/** The bot, whole: the one place that wires everything. Tests use it too. What was started is stopped again when a later part fails. */
export async function startApp(options: AppOptions): Promise<App> {
  const stack = new AsyncDisposableStack()
  try {
    const { db, audit, operation } = await startParts(options, stack)
    return {
      db,
      audit,
      operation: operation.address,
      async stop() {
        operation.readiness.drain()
        await stack.disposeAsync()
      },
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

type Parts = Pick<App, 'db' | 'audit'> & { readonly operation: Operation }

async function startParts(options: AppOptions, stack: AsyncDisposableStack): Promise<Parts> {
  const { config, log, clock, env } = options
  const operation = await startOperation({ settings: config.file.operation, env, version: packageJson.version, log, clock })
  stack.defer(() => operation.close())
  const db = await openOwnStore(options, stack)
  const store = await storeId(db)
  const slack = createSlack({ botToken: env.SLACK_BOT_TOKEN ?? '', log, store, ...apiUrlOf(env) })
  operation.readiness.add('store', lookAtStore(db))
  operation.watch({ pool: db.connections })
  await refuseWrongToken(slack, db)
  const audit = await watchAudit(options, db)
  operation.readiness.add('audit', lookAtAudit(audit.health))
  // before the engine goes on with what it finds in the store
  await audit.look()
  const stores = createStoreGuard({ db, slack, log, store })
  const channels = [...config.targets.values()].map(({ channel }) => channel)
  const mayRun: MayRun = {
    whyNoRun: async () => (await audit.whyNoRun()) ?? stores.again(),
    whyNoRunIn: async (channel) => (await audit.whyNoRun()) ?? stores.look([channel]),
    whyStop: () => {
      const health = audit.health()
      return health.kind === 'restored' ? whyNoRunOf(health) : null
    },
    clocks: () => readClocks(db, slack, clock),
  }
  stack.defer(await operation.trace(db, `${hostname()}-${process.pid}`))
  const engine = await openEngine({ db, log })
  stack.defer(() => engine.close())
  const core = coreOf(options, db, slack, mayRun, engine)
  const inFlight = createInFlight()
  stack.defer(() => inFlight.stop())
  await engine.run(workflowOf(options, db, core, mayRun, inFlight, engine))
  operation.readiness.add('liveness', lookAtLiveness(engine.liveness))
  operation.watch({ gauges: () => readStoreGauges(db) })

  const recordStop = await recordStart(
    { db, log },
    { version: packageJson.version, executor: engine.liveness.executorId, file: config.file },
  )
  stack.defer(recordStop)
  keepAudit(audit, log, stack)

  const commands = { migrate: core.approvals.command, maintenance: core.windows.maintenance }
  const windows = windowParts({ db, log, config }, commands, (target) => morningLines(core.verbs, target))
  const home = createHomes({
    commands: core.approvals.commands,
    db,
    slack,
    targets: config.targets,
    people: core.approvals.people,
    freezes: core.approvals.freezes,
    log,
    clock,
    notice: () => (whyNoRunOf(audit.health()) ?? stores.known())?.text ?? null,
  })
  operation.readiness.add('slack', () => ({ ok: false, text: 'Slack has not answered yet.' }))
  const who = await whoAmI(slack, options)
  logClocks(log, await readClocks(db, slack, clock))
  await stores.look(channels)
  const bolt = createBolt({
    mode: config.file.slack.mode,
    port: config.file.slack.port,
    host: config.file.slack.host,
    botToken: env.SLACK_BOT_TOKEN ?? '',
    botUser: who.botUser,
    clock,
    log,
    ...(env.SLACK_APP_TOKEN === undefined ? {} : { appToken: env.SLACK_APP_TOKEN }),
    ...(env.SLACK_SIGNING_SECRET === undefined ? {} : { signingSecret: env.SLACK_SIGNING_SECRET }),
    ...apiUrlOf(env),
  })
  operation.readiness.add('slack', lookAtSlack(bolt.connection))
  operation.watch({ slack: bolt.connection })
  const answers = createAnswers({
    db,
    slack,
    log,
    owner: { id: engine.liveness.executorId, lock: LIVENESS_LOCK, mayJudge: engine.liveness.isSettled },
    token: env.SLACK_BOT_TOKEN ?? '',
  })
  stack.defer(() => answers.stop(DRAIN_MS))
  const listening = listen(bolt, {
    ...core.verbs,
    slack,
    answers,
    whyNotOurs: stores.whyNotOurs,
    team: who.team,
    slackApp: who.app,
    ...apiUrlOf(env),
    readSql: core.readSql,
    windows: core.windows,
    showHome: home.show,
  })

  const outbox = createOutbox({
    sources: [requestSource({ db, log, ...requestPorts(options, core) }), ...windows.sources],
    owner: { id: engine.liveness.executorId, lock: LIVENESS_LOCK },
    db,
    slack,
    log,
    isAwaited: bolt.isAwaited,
    ...(options.rateLimit === undefined ? {} : { rateLimit: options.rateLimit }),
  })
  await outbox.start()
  stack.defer(() => outbox.stop())
  stack.defer(() => outbox.drain(DRAIN_MS))
  stack.defer(() => inFlight.stop()) // before that: what the steps in hand say at their end is still sent
  const deliveries = createDeliveries({ db, log, redactor: options.redactor, ...createSender({ config, clock }) })
  stack.defer(() => deliveries.stop(DRAIN_MS))
  const dues: readonly Due[] = [
    { name: 'expiry', isDue: expiryIsDue, act: () => expireDue(core.approvals) },
    ...windows.dues,
    deliveries.due,
    ...oncallOf(config, db),
    startSlotsDue(db, engine),
    home.due,
    answers.due,
  ]
  const looking = every(
    DUE_LOOK_MS,
    () => actOnDue(db, dues),
    (error) => log.warn({ error: error.message }, 'what is due was not all done; trying again'),
  )
  stack.defer(looking.stop)
  const forgetting = schedule(FORGET_AT, () =>
    Promise.all([forgetOldKeys(db), forgetOldAnswers(db), forgetOldDeliveries(db)]).catch((error: Error) =>
      log.warn({ error: error.message }, 'old deliveries were not forgotten; trying again in an hour'),
    ),
  )
  stack.defer(() => forgetting.destroy())
  const retention = every(
    RETENTION_MS,
    () => removeSettledRuns(db, core.plan),
    (error) => log.warn({ error: error.message }, 'what settled runs left was not removed; trying again'),
  )
  stack.defer(retention.stop)
  await windows.cronJobs.start()
  stack.defer(() => windows.cronJobs.stop())
  const calendar = await serveCalendar({ db, config, env, log })
  stack.defer(async () => calendar?.close())
  await listening.start().catch((error: unknown) => {
    throw whyNotListening(error, config)
  })
  stack.defer(() => listening.stop()) // stopped first: nothing new comes in while the rest ends
  operation.readiness.up()
  log.info({ team: who.team, executor: engine.liveness.executorId }, 'Lockkeeper is up')
  return { db, audit, operation }
}

const oncallOf = ({ file, targets }: Config, db: Db): readonly Due[] =>
  file.oncall === undefined
    ? []
    : [createOncall({ db, oncall: file.oncall, titleOf: (name) => targets.get(name)?.title ?? name, command: file.slack.command })]

const apiUrlOf = (env: Readonly<Record<string, string | undefined>>) =>
  env.SLACK_API_URL === undefined || env.SLACK_API_URL === '' ? {} : { apiUrl: env.SLACK_API_URL }
