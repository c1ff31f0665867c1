import { createPeople } from '../../approvals/people.ts'
import { createBolt, type BoltOptions } from '../../commands/bolt.ts'
import type { ListenDeps } from '../../commands/door.ts'
import { listen, type Listening } from '../../commands/slack.ts'
import type { Workspace } from '../../playground/server/workspace.ts'
import { createLog } from '../../src/lib/log.ts'
import { createAnswers, type Answers } from '../../src/slack/answers/answers.ts'
import { createSlack } from '../../src/slack/client/client.ts'
import type { SlackPort } from '../../src/slack/port.ts'
import type { Db } from '../../src/store/pool.ts'
import type { Fixture } from '../approvals/fixture.ts'

export const log = createLog({ text: (text) => text, stream: () => ({ write: (chunk) => chunk, end: () => '' }) }, 'silent')

export type Replica = Listening & { readonly answers: Answers; readonly slack: SlackPort; readonly port: number | null }

/** The same bot as in life, but with the rows, the engine and the reading of targets as the test has them. */
export async function startReplica(options: {
  readonly fixture: Fixture
  readonly workspace: Workspace
  readonly db: Db
  readonly onFault: (error: unknown) => void
  /** Who it is towards the others; left out, it judges nobody. */
  readonly owner?: { readonly id: string; readonly lock: number; readonly mayJudge: () => boolean }
  readonly bolt?: Partial<BoltOptions>
  readonly deps?: Partial<ListenDeps>
}): Promise<Replica> {
  const { fixture, workspace, db, onFault } = options
  const access = { botToken: workspace.tokens.bot, apiUrl: workspace.apiUrl, log }
  const slack = createSlack(access)
  const owner = options.owner ?? { id: 'this', lock: 1, mayJudge: () => false }
  const answers = createAnswers({ db, slack, log, owner, token: access.botToken })
  const bolt = createBolt({
    mode: 'socket',
    botToken: workspace.tokens.bot,
    botUser: 'U0LOCKBOT',
    appToken: workspace.tokens.app,
    signingSecret: workspace.tokens.signingSecret,
    port: 0,
    host: '127.0.0.1',
    apiUrl: workspace.apiUrl,
    clock: { now: Date.now },
    log,
    ...options.bolt,
  })
  const listening = listen(bolt, {
    ...fixture.deps,
    db,
    slack,
    answers,
    people: createPeople({ slack, people: {}, clock: { now: Date.now } }),
    windows: { ...fixture.deps, db, freezes: [], maintenance: '/maintenance', onFault },
    whyNoRun: async () => null,
    whyNotOurs: async () => null,
    known: { targets: [...fixture.targets.keys()], command: '/migrate' },
    team: 'T0HARBOR',
    slackApp: 'A0LOCKKEEP',
    apiUrl: workspace.apiUrl,
    showHome: async (user) =>
      void (await slack.publishHome(user, {
        type: 'home',
        blocks: [{ type: 'section', text: { type: 'mrkdwn', text: 'Nothing waits for you.' } }],
      })),
    lookLive: async () => null,
    commitsNotLive: async () => null,
    readStatus: async () => ({
      baseline: 'present',
      applied: [{ name: 'one' }],
      pending: [{ name: 'two' }],
      failed: [],
      running: [],
      rolledBack: [],
      edited: [],
      unknown: [],
      record: [],
    }),
    askLiveCommit: async () => null,
    readOtherRecord: async () => Promise.reject(new Error('no target comes first')),
    makePlan: async () => Promise.reject(new Error('not part of these tests')),
    exportEvidence: async () => undefined,
    readSql: async () => [{ name: '20261118_add_discounts', sql: 'CREATE TABLE discounts ();' }],
    onFault,
    ...options.deps,
  })
  const { port } = await listening.start()
  return { ...listening, answers, slack, port }
}
