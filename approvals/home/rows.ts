import type { Commands } from '../../src/config/commands.ts'
import type { Target } from '../../src/config/config.ts'
import type { Db } from '../../src/store/pool.ts'
import { endedStates, type RequestRow, type RequestView } from '../../src/request/request.ts'
import { listRequests, viewOf } from '../../src/request/store.ts'
import { cardKey } from '../../src/request/render/draw.ts'
import { storeNow } from '../../src/store/now.ts'
import type { Posted, SlackPort } from '../../src/slack/port.ts'
import type { Freeze } from '../../src/calendar/opening-hours.ts'
import { announcementKey } from '../../src/windows/render/window.ts'
import { freezesInForce } from '../../src/windows/freezes/freezes.ts'
import type { WindowRow } from '../../src/windows/window.ts'
import { listWindows } from '../../src/windows/store.ts'
import { DAYS_AHEAD, MOST_SHOWN, type HomeFreeze, type HomeWindow } from './calendar.ts'

/** What the Homes of all people show, read once for all of them. */

export type HomeRowPorts = {
  readonly db: Db
  readonly targets: ReadonlyMap<string, Target>
  /** Those of the configuration. */
  readonly freezes: readonly Freeze[]
  readonly commands: Commands
}

/** A request and where its card stands, if it does. */
export type LinkedRequest = { readonly view: RequestView; readonly link: string | null }

export type HomeRows = {
  readonly now: number
  /** As it was before all else was read: what changed meanwhile is seen the next time. */
  readonly mark: string
  readonly active: readonly RequestRow[]
  /** Newest first. */
  readonly last: readonly RequestRow[]
  readonly unreviewed: readonly RequestRow[]
  /** All of these, with what is drawn of them. */
  readonly linked: readonly LinkedRequest[]
  readonly windows: readonly HomeWindow[]
  readonly freezes: readonly HomeFreeze[]
  /** False when Slack did not say where some message stands: it is asked again. */
  readonly isWhole: boolean
}

const LAST_RUNS = 5
const DAY_MS = 86_400_000
const MOST_WINDOWS = 1_000

const quoted = (states: readonly string[]): string => states.map((state) => `'${state}'`).join(', ')

/**
 * SQL: where the message with this key stands, which may be seconds after its row was drawn, when Slack's rate limit holds it back. Columns
 * in the key name their table: a message has an id of its own.
 */
const standsAt = (key: string): string => `coalesce((select m.channel || m.ts from lockkeeper.message m where m.key = ${key}), '')`

/** SQL: everything in the store that Home shows, so short that it can be asked each second. */
const MARK = `(
  select md5(string_agg(part, ' ' order by part)) from (
    select 'r' || id || ':' || revision || ':' || ${standsAt(`'card:' || request.id`)} as part from lockkeeper.request
      where state in ('planning', 'waiting', 'granted', 'running', 'needs_human')
    union select 'r' || id || ':' || revision || ':' || ${standsAt(`'card:' || ended.id`)} from
      (select * from lockkeeper.request where state in (${quoted(endedStates)}) order by id desc limit ${LAST_RUNS}) ended
    union select 'g' || request_id from lockkeeper.break_glass where broken_at is not null and reviewed_at is null
    union select 'w' || id || ':' || revision || ':' || ${standsAt(`'window:' || maintenance.id || ':' || maintenance.channels[1]`)} from lockkeeper.maintenance
      where state = 'open' or (state = 'scheduled' and starts_at < lockkeeper.now() + interval '${DAYS_AHEAD} days' and ends_at > lockkeeper.now())
    union select 'f' || id from lockkeeper.freeze where lifted_at is null and (until_at is null or until_at > lockkeeper.now())
  ) parts)`

/** SQL about the row of `home_drawn`: what people see is how things are. */
export const isAtMark = `next_at > lockkeeper.now() and mark is not distinct from coalesce(${MARK}, '')`

export async function readHomeRows(ports: HomeRowPorts, linksOf: Links): Promise<HomeRows> {
  const { db, targets, commands } = ports
  const [at] = await db.query<{ mark: string }>(`select coalesce(${MARK}, '') as mark`)
  const now = await storeNow(db)
  const ahead = now + DAYS_AHEAD * DAY_MS
  const [active, last, unreviewed, open, scheduled, set] = await Promise.all([
    listRequests(db, { states: ['waiting', 'granted', 'running', 'needs_human'], limit: 50 }),
    listRequests(db, { states: endedStates, limit: LAST_RUNS }),
    listRequests(db, { states: endedStates, isUnreviewed: true, limit: 50 }),
    listWindows(db, { states: ['open'], limit: MOST_WINDOWS }),
    listWindows(db, { states: ['scheduled'], from: now, to: ahead, limit: MOST_WINDOWS }),
    freezesInForce(db, null),
  ])
  const titlesOf = (names: readonly string[]) => names.map((name) => targets.get(name)?.title ?? name)
  const requests = [...new Map([...active, ...last, ...unreviewed].map((request) => [request.id, request])).values()]
  const shown = [...open, ...scheduled]
  const keyOf = ({ id, channels: [first = ''] }: WindowRow) => announcementKey(id, first)
  const links = await linksOf([...requests.map(({ id }) => cardKey(id)), ...shown.slice(0, MOST_SHOWN).map(keyOf)])
  const linked = await Promise.all(
    requests.map(async (request) => ({
      view: await viewOf(db, request, { targetTitle: targets.get(request.target)?.title ?? request.target, commands, tail: '' }),
      link: links.of.get(cardKey(request.id)) ?? null,
    })),
  )
  const windows = shown.map((window) => ({
    window,
    titles: titlesOf(window.targets),
    link: links.of.get(keyOf(window)) ?? null,
    needsStandby: window.targets.some((name) => targets.get(name)?.windows.standby === true),
  }))
  const configured = ports.freezes.flatMap(({ kind, name, targets: names, spans }) =>
    spans(now, ahead).map(({ from, to }) => ({
      kind,
      titles: names === null ? null : titlesOf(names),
      reason: name,
      from,
      to: Number.isFinite(to) ? to : null,
      setBy: null,
    })),
  )
  const freezes = [
    ...set.map(({ kind, targets: names, reason, setBy, from, until }) => ({
      kind,
      titles: names === null ? null : titlesOf(names),
      reason,
      from: from.getTime(),
      to: until?.getTime() ?? null,
      setBy,
    })),
    ...configured,
  ]
  return { now, mark: at?.mark ?? '', active, last, unreviewed, linked, windows, freezes, isWhole: !links.isUnsure }
}

const HALF_HOUR_MS = 1_800_000

/** When something begins or ends that no row tells: a freeze of the configuration, or a day, which is at a half hour in every zone but a few. */
export function nextChange({ now, freezes }: Pick<HomeRows, 'now' | 'freezes'>): number {
  const ends = freezes.flatMap(({ from, to }) => [from, ...(to === null ? [] : [to])]).filter((at) => at > now)
  return Math.min(...ends, (Math.floor(now / HALF_HOUR_MS) + 1) * HALF_HOUR_MS)
}

/** Permalinks by the keys of messages. A place in Slack never moves, so its address is asked for once. */
export type Links = (keys: readonly string[]) => Promise<{ readonly of: ReadonlyMap<string, string>; readonly isUnsure: boolean }>

const MOST_LINKS = 1_000

export function createLinks({ db, slack }: { readonly db: Db; readonly slack: Pick<SlackPort, 'permalink'> }): Links {
  const known = new Map<string, string>()
  /** Null: there is none. Undefined: Slack does not say now. */
  const addressOf = async (posted: Posted): Promise<string | null | undefined> => {
    const address = `${posted.channel} ${posted.ts}`
    const before = known.get(address)
    if (before !== undefined) return before
    const link = await slack.permalink(posted)
    if (link.kind !== 'ok') return link.kind === 'refused' ? null : undefined
    if (known.size >= MOST_LINKS) known.clear()
    known.set(address, link.value)
    return link.value
  }
  return async (keys) => {
    const messages = await db.query<Posted & { readonly key: string }>(
      'select key, channel, ts from lockkeeper.message where key = any($1) and ts is not null',
      [keys],
    )
    const links = await Promise.all(messages.map(async ({ key, channel, ts }) => [key, await addressOf({ channel, ts })] as const))
    return {
      of: new Map(links.filter((link): link is readonly [string, string] => typeof link[1] === 'string')),
      isUnsure: links.some(([, link]) => link === undefined),
    }
  }
}
