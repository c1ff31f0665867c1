import { createHash } from 'node:crypto'
import type { Clock } from '../../src/lib/clock.ts'
import type { Due } from '../../src/store/due.ts'
import type { Log } from '../../src/lib/log.ts'
import type { RequestRow } from '../../src/request/request.ts'
import type { SlackPort } from '../../src/slack/port.ts'
import { isZone } from '../../src/calendar/zone.ts'
import { homeView, type HomeEntry } from './home.ts'
import { createLinks, isAtMark, nextChange, readHomeRows, type LinkedRequest, type HomeRows, type HomeRowPorts } from './rows.ts'
import type { People } from '../people.ts'
import { accountsIn, mayReview } from '../policy.ts'
import { reviewersOf } from '../decisions/review.ts'

export type HomePorts = HomeRowPorts & {
  readonly slack: Pick<SlackPort, 'publishHome' | 'permalink' | 'user'>
  readonly people: Pick<People, 'humanOf'>
  readonly log: Log
  readonly clock: Clock
  /** Why nothing may start now. */
  readonly notice: () => string | null
}

export type Homes = {
  /** Draws Home for somebody who has just opened it. */
  readonly show: (account: string) => Promise<void>
  /** Draws it again, for those who opened it lately, when something changed. */
  readonly due: Due
}

/** Whoever has not opened it for a week sees it fresh when he opens it. */
const LATELY = `opened_at > clock_timestamp() - interval '7 days'`
const MOST_PEOPLE = 50
/** Slack takes a hundred Homes a minute. */
const PAUSE_MS = { least: 3_000, each: 600 }
/** A replica that dies while it draws leaves the rest to another one after so long. */
const LEASE_MS = 60_000
const ZONE_MS = 3_600_000

export function createHomes(ports: HomePorts): Homes {
  const { db, clock } = ports
  const linksOf = createLinks(ports)
  const zones = new Map<string, { readonly until: number; readonly zone: string }>()
  let noticed: string | null = null

  async function zoneOf(account: string): Promise<string> {
    const known = zones.get(account)
    if (known !== undefined && known.until > clock.now()) return known.zone
    const user = await ports.slack.user(account)
    const zone = user.kind === 'ok' && isZone(user.value.timezone) ? user.value.timezone : 'UTC'
    if (user.kind === 'ok') zones.set(account, { until: clock.now() + ZONE_MS, zone })
    return zone
  }

  async function redraw(): Promise<void> {
    const notice = ports.notice()
    const [claimed] = await db.query(
      `update lockkeeper.home_drawn set lease = clock_timestamp() + $1 * interval '1 millisecond' where lease <= clock_timestamp() returning 1`,
      [LEASE_MS],
    )
    if (claimed === undefined) return
    const open = await db.query<{ account: string }>(
      `select account from lockkeeper.home where ${LATELY} order by opened_at desc limit $1`,
      [MOST_PEOPLE],
    )
    const rows = await readHomeRows(ports, linksOf)
    let { isWhole } = rows
    for (const { account } of open) isWhole = (await draw(ports, rows, account, await zoneOf(account))) && isWhole
    noticed = notice
    await db.query(
      `update lockkeeper.home_drawn set mark = $1, next_at = to_timestamp($2::float8 / 1000), lease = clock_timestamp() + $3 * interval '1 millisecond'`,
      [isWhole ? rows.mark : null, nextChange(rows), Math.max(PAUSE_MS.least, open.length * PAUSE_MS.each)],
    )
  }

  return {
    async show(account) {
      await db.query(
        `insert into lockkeeper.home (account) values ($1) on conflict (account) do update set opened_at = clock_timestamp(), hash = null`,
        [account],
      )
      const rows = await readHomeRows(ports, linksOf)
      const isShown = await draw(ports, rows, account, await zoneOf(account))
      if (!isShown || !rows.isWhole) await db.query('update lockkeeper.home_drawn set mark = null')
    },
    due: {
      name: 'Home',
      // of nobody who looks, nothing more is asked
      get isDue() {
        const isMoved = ports.notice() === noticed ? `not (${isAtMark})` : 'true'
        return `exists (select from lockkeeper.home where ${LATELY})
          and (select lease <= clock_timestamp() and ${isMoved} from lockkeeper.home_drawn)`
      },
      act: redraw,
    },
  }
}

/** False when Slack could not be told now, and it is worth another try. */
async function draw(ports: HomePorts, rows: HomeRows, account: string, zone: string): Promise<boolean> {
  const entries = new Map(rows.linked.map((request) => [request.view.request.id, entryOf(ports, request, account)]))
  const of = (requests: readonly RequestRow[]) => requests.flatMap(({ id }) => entries.get(id) ?? [])
  const view = homeView({
    reviews: of(rows.unreviewed).filter(({ view }) => mayReviewAs(ports, view.request, account)),
    waiting: of(rows.active).filter((entry) => waitsFor(ports, entry, account)),
    underWay: of(rows.active.filter((request) => request.state !== 'waiting' || isOwn(ports, request, account))),
    last: of(rows.last),
    calendar: { commands: ports.commands, now: rows.now, zone, windows: rows.windows, freezes: rows.freezes },
    notice: ports.notice(),
  })
  const hash = createHash('sha256').update(JSON.stringify(view)).digest('hex')
  const [known] = await ports.db.query<{ hash: string | null }>('select hash from lockkeeper.home where account = $1', [account])
  if (known?.hash === hash) return true
  const sent = await ports.slack.publishHome(account, view)
  if (sent.kind === 'ok') await ports.db.query('update lockkeeper.home set hash = $2 where account = $1', [account, hash])
  else ports.log.warn({ kind: sent.kind }, sent.kind === 'refused' ? 'App Home was not shown' : 'App Home was not shown; it is tried again')
  return sent.kind === 'ok' || sent.kind === 'refused'
}

function entryOf(ports: HomePorts, { view, link }: LinkedRequest, account: string): HomeEntry {
  const { policy } = view.request
  const mayBreak = policy?.breakGlass !== undefined && isAmong(ports, { from: policy.breakGlass.from, members: policy.members }, account)
  return { view, link, mayBreak }
}

/** Members as they were when it was asked; what is allowed is decided at the click. */
const isAmong = ({ people }: HomePorts, circle: Parameters<typeof accountsIn>[0], account: string): boolean =>
  accountsIn(circle).some((one) => people.humanOf(one) === people.humanOf(account))

function mayReviewAs(ports: HomePorts, request: RequestRow, account: string): boolean {
  const { humanOf } = ports.people
  const circle = { from: reviewersOf(ports, request), members: request.policy?.members ?? {} }
  return mayReview(circle, request.breakGlass?.involved ?? [], humanOf, account) === 'yes'
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
