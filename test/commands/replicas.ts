import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import type { BoltOptions } from '../../commands/bolt.ts'
import type { ListenDeps } from '../../commands/door.ts'
import { startWorkspace, type Workspace, type WorkspaceOptions } from '../../playground/server/workspace.ts'
import { holdLiveness, LIVENESS_LOCK, type Liveness } from '../../src/engine/liveness.ts'
import { every } from '../../src/lib/repeat.ts'
import { actions, button } from '../../src/slack/blocks/blocks.ts'
import { actOnDue } from '../../src/store/due.ts'
import type { Db } from '../../src/store/pool.ts'
import { baseTarget, BOB, CAROL, createFixture, type Fixture, type Store } from '../approvals/fixture.ts'
import { steady } from '../helpers/flow.ts'
import { createStore } from '../helpers/postgres.ts'
import { spoken } from '../helpers/spoken.ts'
import { until } from '../helpers/until.ts'
import { setClock } from '../helpers/windows.ts'
import { log, startReplica, type Replica } from './replica.ts'

export const CHANNEL = 'C0DEPLOYS'

type Options = {
  readonly count?: number
  readonly workspace?: WorkspaceOptions
  readonly bolt?: Partial<BoltOptions>
  readonly deps?: Partial<ListenDeps>
  /** Of one of them. */
  readonly depsOf?: (index: number) => Partial<ListenDeps>
  readonly dbOf?: (index: number, db: Db) => Db
}

type Spoken = Parameters<typeof spoken>[0]

const read = (message: { readonly text: string; readonly blocks?: readonly unknown[] }): string =>
  steady((message.blocks ?? []).length === 0 ? message.text : spoken(message as Spoken).join('\n'), '/nowhere')

/** Replicas of the bot in this process, each with two connections to one Slack; for the tests of one file. */
export class Replicas {
  store!: Store
  fixture!: Fixture
  workspace!: Workspace
  all: Replica[] = []
  faults: unknown[] = []
  private lives: readonly Liveness[] = []
  private undo: (() => Promise<unknown>)[] = []

  constructor() {
    beforeAll(async () => {
      this.store = await createStore()
      this.lives = await Promise.all([1, 2, 3].map(() => holdLiveness({ storeUrl: this.store.url, log })))
    })
    afterAll(async () => {
      await Promise.all(this.lives.map((life) => life.close()))
      await this.store.close()
    })
    beforeEach(async () => {
      this.faults = []
      this.all = []
      const staging = { ...baseTarget, approvals: { required: 2, from: ['group:S0DBA'] } }
      this.fixture = await createFixture({ store: this.store, targets: { prod: { ...baseTarget, timezone: 'UTC' }, staging } })
      this.fixture.slack.groups.set('S0DBA', [BOB, CAROL])
      await setClock(this.store.db, '2026-12-06T08:00:00Z')
    })
    afterEach(async () => {
      for (const act of this.undo.splice(0).toReversed()) await act()
    })
  }

  async open({ count = 1, workspace: how = {}, bolt, deps, depsOf, dbOf }: Options = {}): Promise<void> {
    const { store, faults } = this
    this.workspace = await startWorkspace({ rateLimits: false, ...how })
    this.undo.push(this.workspace.close)
    for (const [index, life] of this.lives.slice(0, count).entries()) {
      const replica = await startReplica({
        fixture: this.fixture,
        workspace: this.workspace,
        db: dbOf?.(index, store.db) ?? store.db,
        owner: { id: life.executorId, lock: LIVENESS_LOCK, mayJudge: life.isSettled },
        onFault: (error) => faults.push(error),
        ...(bolt === undefined ? {} : { bolt }),
        deps: { ...deps, ...depsOf?.(index) },
      })
      this.all.push(replica)
      const looking = every(
        50,
        () => actOnDue(store.db, [replica.answers.due]),
        (error) => faults.push(error),
      )
      this.undo.push(async () => {
        await replica.stop()
        await looking.stop()
        await replica.answers.stop(5_000)
      })
    }
    await until(
      'both connections of each are there',
      () => how.requestUrl !== undefined || this.workspace.socket.connections() === 2 * count,
    )
  }

  /** Nobody works on an answer or has one to send. */
  readonly settled = () =>
    until('every answer is given', async () => {
      const [open] = await this.store.db.query<{ count: number }>(
        `select count(*)::int as count from lockkeeper.answer where state in ('taken', 'due')`,
      )
      return open?.count === 0
    })

  /** Everything that a person was told beside messages, in the order of it. */
  async told(person: string): Promise<readonly string[]> {
    await this.settled()
    return this.workspace.ephemerals(person).map(read)
  }

  async direct(person: string): Promise<readonly string[]> {
    await this.settled()
    return this.workspace.directMessages(person).map(read)
  }

  async type(text: string, person = 'U0ALICE', channel = CHANNEL): Promise<readonly string[]> {
    const before = this.workspace.ephemerals(person).length
    await this.workspace.as(person).command(channel, text)
    return (await this.told(person)).slice(before)
  }

  /** What stands in the window before a person. */
  window(person: string): string {
    return spoken(this.workspace.modal(person)?.view as unknown as Spoken).join('\n')
  }

  /** The buttons of a request in the channel, as its card has them. */
  async card(token: string, buttons: readonly string[] = ['approve', 'reject', 'sql', 'cancel', 'acknowledge', 'ask_again', 'queue']) {
    const blocks = [actions(...buttons.map((id) => button(id, id, token)))]
    const posted = await this.all[0]!.slack.post({ channel: CHANNEL }, { text: 'card', blocks }, `card-${token}`)
    if (posted.kind !== 'ok') throw new Error(posted.kind)
    return posted.value
  }

  /** Windows that Slack opened. */
  opened(): number {
    return this.workspace.calls('views.open').filter(({ answer }) => answer['ok'] === true).length
  }
}
