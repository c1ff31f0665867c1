import type { Checked } from '../check/checked.ts'
import type { Db, Queries } from '../../../src/store/pool.ts'
import { withTargets, withSlack, type CheckDeps } from '../check/check.ts'
import type { CheckpointFile } from '../../../src/audit/checkpoint.ts'
import { lookAtAudit } from './audit.ts'
import type { Reading } from '../../../src/lib/clock-skew.ts'
import { lookAtClocks, storeClock, targetClocks } from './clocks.ts'
import { lookAtDisk } from './disk.ts'
import { lookAtEngine } from './engine.ts'
import { ok, wrong, type Finding } from './finding.ts'
import { lookAtLeftovers } from './leftovers.ts'
import { lookAtNotices } from './notifications.ts'
import { hasTables, lookAtStore } from './store.ts'
import { checkNotifications } from '../check/notifications.ts'

export type { Finding } from './finding.ts'

export type DoctorDeps = Omit<CheckDeps, 'reachStore'> & {
  /** Connects to the store as it is, and changes nothing in it; throws when it cannot. */
  readonly openStore: () => Promise<Db>
  /** Null in HTTP mode; otherwise Slack's word against the app-level token, or null when it takes it. */
  readonly appTokenRefused: () => Promise<string | null>
  readonly checkpointFile: CheckpointFile
  /** Slack tells its time without a token, too. */
  readonly slackClock: () => Promise<Reading | undefined>
  readonly now: () => number
}

/**
 * What is wrong with an installation that runs, or does not run any more, and how to mend it. `check` asks whether a start would work;
 * this asks how the work goes. Nothing is changed anywhere.
 */
export async function doctor(deps: DoctorDeps): Promise<readonly Finding[]> {
  const { config, plan } = deps
  const opened = await deps.openStore().then(
    (db) => ({ db, why: '' }),
    (error: Error) => ({ db: undefined, why: error.message.trim() }),
  )
  const { db } = opened
  // without its tables there is nothing of ours to read
  const records = db !== undefined && (await hasTables(db)) ? db : undefined
  const inStore = (what: string, look: (db: Db) => Promise<readonly Finding[]>) => (db === undefined ? [] : safely(what, () => look(db)))
  const parts = await Promise.all([
    db === undefined
      ? [wrong('store', opened.why, 'Until then nothing can be asked, decided or started; a migration in hand goes on.')]
      : inStore('store', lookAtStore),
    inStore('processes', lookAtEngine),
    records === undefined ? [] : safely('audit', () => lookAtAudit(records, deps.checkpointFile)),
    safely('Slack', () => lookAtSlack(deps)),
    records === undefined ? [] : safely('notices', () => lookAtNotices(records, config.file.slack.command)),
    safely('outside', async () => (await checkNotifications(config)).map(fromCheck)),
    safely('targets', async () => (await withTargets({ ...deps })).map(fromCheck)),
    safely('clocks', () => compareClocks(deps, db)),
    safely('disk', () => lookAtDisk(config, records)),
    safely('leftovers', () => lookAtLeftovers(config, records, deps.now())),
  ])
  const redact = plan.redactor.text
  return parts.flat().map((one) => ({ ...one, text: redact(one.text), mend: one.mend === null ? null : redact(one.mend) }))
}

/** One line a thing, and a second one that says how to mend it; the worst stands right above the prompt. */
export function doctorText(findings: readonly Finding[]): string {
  const order = { ok: 0, warning: 1, wrong: 2 } as const
  const words = { ok: 'ok     ', warning: 'warning', wrong: 'WRONG  ' } as const
  const lines = findings
    .toSorted((a, b) => order[a.level] - order[b.level])
    .flatMap(({ level, what, text, mend }) => [`${words[level]}  ${what}: ${text}`, ...(mend === null ? [] : [`         ${mend}`])])
  const bad = findings.filter(({ level }) => level === 'wrong').length
  const notes = findings.filter(({ level }) => level === 'warning').length
  const end =
    bad > 0
      ? `${bad} ${bad === 1 ? 'thing is' : 'things are'} wrong.`
      : notes > 0
        ? `It works; ${notes} ${notes === 1 ? 'thing is' : 'things are'} worth a look.`
        : 'Everything is well.'
  return [...lines, '', end].join('\n')
}

/** What one look cannot do must not hide the others. */
const safely = (what: string, look: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> =>
  look().catch((error: Error) => [wrong(what, `could not be looked at: ${error.message}`)])

const levels = { good: 'ok', note: 'warning', bad: 'wrong' } as const

const fromCheck = ({ level, what, text }: Checked): Finding => ({ level: levels[level], what, text, mend: null })

/** One line when all is well: the names of channels and groups are `check`'s to list. */
async function lookAtSlack(deps: DoctorDeps): Promise<readonly Finding[]> {
  const [checked, refused] = await Promise.all([withSlack(deps), deps.appTokenRefused()])
  const amiss = checked.filter(({ level }) => level !== 'good').map(fromCheck)
  const token =
    refused === null
      ? []
      : [
          wrong(
            'Slack',
            `it refuses the app-level token (${refused})`,
            'Make one with connections:write under Basic Information, App-Level Tokens, and put it into SLACK_APP_TOKEN.',
          ),
        ]
  const good = checked.filter(({ level }) => level === 'good')
  const connected = good.find(({ what }) => what === 'Slack')
  return [
    ...(connected === undefined ? [] : [ok('Slack', `${connected.text}; ${good.length - 1} channels and groups are well`)]),
    ...amiss,
    ...token,
  ]
}

async function compareClocks(deps: DoctorDeps, db: Queries | undefined): Promise<readonly Finding[]> {
  const [store, targets, slack] = await Promise.all([
    db === undefined ? undefined : storeClock(db),
    targetClocks(deps.config),
    deps.slackClock(),
  ])
  return [lookAtClocks([store, ...targets, slack])]
}
