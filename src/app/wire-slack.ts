import { setTimeout as wait } from 'node:timers/promises'
import type { Config } from '../config/config.ts'
import type { Db } from '../store/pool.ts'
import type { Log } from '../lib/log.ts'
import type { SlackPort } from '../slack/port.ts'
import { StartFault } from '../lib/start-fault.ts'

/**
 * Before anything is started, unless a run is under way: that goes on to its end, since no migration waits on Slack. For the same reason
 * a Slack that does not answer is not waited for here.
 */
export async function refuseWrongToken(slack: SlackPort, db: Db): Promise<void> {
  const auth = await slack.authTest()
  if (auth.kind !== 'refused') return
  const [active] = await db.query<{ runs: number }>(
    `select count(*)::int as runs from lockkeeper.request where state in ('granted', 'running')`,
  )
  if (active === undefined || active.runs === 0) throw wrongToken(auth.error)
}

const wrongToken = (error: string) =>
  new StartFault(
    'configuration',
    `Slack refuses the bot token (${error}). Nothing was started. Copy the token again from OAuth & Permissions (xoxb-…) into SLACK_BOT_TOKEN.`,
  )

type Patience = {
  readonly log: Log
  readonly env: Readonly<Record<string, string | undefined>>
  /** Ends the waiting. */
  readonly stop?: AbortSignal
}

/** Which workspace this token belongs to; everything from another one is refused, so there is no listening without an answer. */
export async function whoAmI(slack: SlackPort, { log, env, stop }: Patience) {
  for (let attempt = 1; ; attempt++) {
    const auth = await slack.authTest()
    if (auth.kind === 'ok') return { ...auth.value, app: await appOf(slack, auth.value.botUser, log) }
    if (auth.kind === 'refused') log.error(`${wrongToken(auth.error).message} Runs under way go on meanwhile.`)
    const where = env.SLACK_API_URL ?? ''
    if (auth.kind !== 'refused')
      log.warn(
        { attempt, ...(auth.kind === 'unsure' ? { cause: auth.cause } : {}) },
        `Slack does not answer${where === '' ? '' : ` at ${where} (SLACK_API_URL)`} yet; runs go on, and commands are taken as soon as it does`,
      )
    await wait(
      auth.kind === 'limited' ? auth.retryAfterMs : Math.min(30_000, 1_000 * attempt),
      undefined,
      stop === undefined ? {} : { signal: stop },
    )
  }
}

/** The bot's own account says which app it is of. Signing secret and app-level token are an app's own too, so this is not waited for. */
async function appOf(slack: SlackPort, botUser: string, log: Log): Promise<string | null> {
  const bot = await slack.user(botUser)
  if (bot.kind === 'ok' && bot.value.app !== undefined) return bot.value.app
  log.warn('Slack does not say which app this bot is of, so deliveries are not compared with it')
  return null
}

export function whyNotListening(error: unknown, { file: { slack } }: Config): unknown {
  if (!(error instanceof Error)) return error
  const code = 'code' in error ? String(error.code) : ''
  if (code === 'EADDRINUSE' || code === 'EACCES')
    return new StartFault(
      'configuration',
      `Port ${slack.port} on ${slack.host} cannot be used: ${code === 'EADDRINUSE' ? 'another program listens there' : 'this user may not'}. Choose another as slack.port in lockkeeper.yaml.`,
      error,
    )
  const refused = /An API error occurred: (\w+)/.exec(error.message)?.[1]
  if (refused === undefined) return error
  return new StartFault(
    'configuration',
    `Slack refuses the app-level token (${refused}). Make one with connections:write under Basic Information, App-Level Tokens (xapp-…), and put it into SLACK_APP_TOKEN. Socket Mode must be on.`,
    error,
  )
}
