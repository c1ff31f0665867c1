import { createHash } from 'node:crypto'
import type { Target } from '../src/config/config.ts'
import type { Db } from '../src/db/pool.ts'
import { every } from '../src/every.ts'
import type { Log } from '../src/log.ts'
import { endedStates, type RequestRow } from '../src/run/record.ts'
import { listRequests, viewOf } from '../src/run/rows.ts'
import type { SlackPort } from '../src/slack/port.ts'
import { homeView, type HomeEntry } from './home.ts'
import type { People } from './people.ts'
import { accountsIn, mayReview } from './policy.ts'
import { reviewersOf } from './review.ts'

export type HomePorts = {
  readonly db: Db
  readonly slack: Pick<SlackPort, 'publishHome' | 'permalink'>
  readonly targets: ReadonlyMap<string, Target>
  readonly people: Pick<People, 'humanOf'>
  readonly log: Log
  /** Why nothing may start now. */
  readonly notice: () => string | null
}

export type Homes = {
  /** Draws Home for somebody who has just opened it. */
  readonly show: (account: string) => Promise<void>
  /** Draws it again, for those who opened it lately, when something changed. */
  readonly keepCurrent: () => { readonly stop: () => Promise<void> }
}

const LOOK_MS = 3_000
/** Whoever has not opened it for a week sees it fresh when he opens it. */
const LATELY = '7 days'
const MOST_PEOPLE = 50
const LAST_RUNS = 5

export function createHomes(ports: HomePorts): Homes {
  let seen = ''
  async function redraw(): Promise<void> {
    const [state] = await ports.db.query<{ mark: string }>(
      `select string_agg(id || ':' || revision, ' ' order by id) as mark from (
         (select id, revision from lockkeeper.request where state in ('planning','waiting','granted','running','needs_human'))
         union (select id, revision from lockkeeper.request where state = any($1) order by id desc limit $2)
         union (select id, revision from lockkeeper.request where id in
           (select request_id from lockkeeper.break_glass where broken_at is not null and reviewed_at is null))) shown`,
      [endedStates, LAST_RUNS],
    )
    const mark = `${state?.mark} ${ports.notice() ?? ''}`
    if (state === undefined || mark === seen) return
    const open = await ports.db.query<{ account: string }>(
      `select account from lockkeeper.home where opened_at > clock_timestamp() - $1::interval order by opened_at desc limit $2`,
      [LATELY, MOST_PEOPLE],
    )
    for (const { account } of open) await draw(ports, account)
    seen = mark
  }
  return {
    async show(account) {
      await ports.db.query(
        `insert into lockkeeper.home (account) values ($1) on conflict (account) do update set opened_at = clock_timestamp(), hash = null`,
        [account],
      )
      await draw(ports, account)
    },
    keepCurrent: () =>
      every(LOOK_MS, redraw, (error) => ports.log.warn({ error: error.message }, 'App Home could not be redrawn; trying again')),
  }
}

async function draw(ports: HomePorts, account: string): Promise<void> {
  const [active, last, unreviewed] = await Promise.all([
    listRequests(ports.db, { states: ['waiting', 'granted', 'running', 'needs_human'], limit: 50 }),
    listRequests(ports.db, { states: endedStates, limit: LAST_RUNS }),
    listRequests(ports.db, { states: endedStates, isUnreviewed: true, limit: 50 }),
  ])
  const entries = new Map(
    await Promise.all(
      [...active, ...last, ...unreviewed].map(async (request) => [request.id, await entryOf(ports, request, account)] as const),
    ),
  )
  const of = (requests: readonly RequestRow[]) => requests.flatMap(({ id }) => entries.get(id) ?? [])
  const view = homeView({
    reviews: of(unreviewed).filter(({ view }) => mayReviewAs(ports, view.request, account)),
    waiting: of(active).filter((entry) => waitsFor(ports, entry, account)),
    underWay: of(active.filter((request) => request.state !== 'waiting' || isOwn(ports, request, account))),
    last: of(last),
    timezone: 'UTC',
    notice: ports.notice(),
  })
  const hash = createHash('sha256').update(JSON.stringify(view)).digest('hex')
  const [known] = await ports.db.query<{ hash: string | null }>('select hash from lockkeeper.home where account = $1', [account])
  if (known?.hash === hash) return
  const sent = await ports.slack.publishHome(account, view)
  if (sent.kind === 'ok') await ports.db.query('update lockkeeper.home set hash = $2 where account = $1', [account, hash])
  else ports.log.warn({ kind: sent.kind }, 'App Home was not shown; it is tried again')
}

async function entryOf(ports: HomePorts, request: RequestRow, account: string): Promise<HomeEntry> {
  const view = await viewOf(ports.db, request, ports.targets.get(request.target)?.title ?? request.target, '')
  const { policy } = request
  const mayBreak = policy?.breakGlass !== undefined && isAmong(ports, { from: policy.breakGlass.from, members: policy.members }, account)
  const [card] = await ports.db.query<{ channel: string; ts: string | null }>('select channel, ts from lockkeeper.message where key = $1', [
    `card:${request.id}`,
  ])
  if (card === undefined || card.ts === null) return { view, link: null, mayBreak }
  const link = await ports.slack.permalink({ channel: card.channel, ts: card.ts })
  return { view, link: link.kind === 'ok' ? link.value : null, mayBreak }
}

/** Members as they were when it was asked; what is allowed is decided at the click. */
const isAmong = ({ people }: HomePorts, circle: Parameters<typeof accountsIn>[0], account: string): boolean =>
  accountsIn(circle).some((one) => people.humanOf(one) === people.humanOf(account))

function mayReviewAs(ports: HomePorts, request: RequestRow, account: string): boolean {
  const { humanOf } = ports.people
  const circle = { from: reviewersOf(ports, request), members: request.policy?.members ?? {} }
  return mayReview(circle, request.glass?.involved ?? [], humanOf, account) === 'yes'
}

/** Whoever asked sees it from the asking on. */
const isOwn = ({ people }: HomePorts, request: RequestRow, account: string): boolean =>
  people.humanOf(request.requester) === people.humanOf(account)

/** Members as they were when it was asked; whether the vote counts is decided at the click. */
function waitsFor({ people }: HomePorts, { view }: HomeEntry, account: string): boolean {
  const { request, votes } = view
  if (request.state !== 'waiting' || request.policy === null) return false
  const human = people.humanOf(account)
  const { from, members } = request.policy
  const eligible = from.flatMap((one) =>
    one.startsWith('group:') ? (members[one.slice('group:'.length)] ?? []) : [one.slice('user:'.length)],
  )
  const voted = votes.some((vote) => vote.digest === request.digest && people.humanOf(vote.human) === human)
  return human !== people.humanOf(request.requester) && !voted && eligible.some((one) => people.humanOf(one) === human)
}
