import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { storeId } from '../../audit/health.ts'
import type { Config } from '../../config/config.ts'
import type { Db } from '../../store/pool.ts'
import type { Log } from '../../lib/log.ts'
import { addressOf } from '../../observability/address.ts'
import { send, serveHttp, type Address, type Served } from '../../observability/http.ts'
import { whyNotServing } from '../../observability/start.ts'
import { StartFault } from '../../lib/start-fault.ts'

type Feed = { readonly db: Db; readonly config: Config; readonly token: string | undefined; readonly store: string }

/**
 * `/calendar.ics` and `/calendar/<target>.ics`, for calendars to subscribe to; null where it is not configured. Whoever does not know the
 * token learns nothing, not even that something is there.
 */
export async function serveCalendar(ports: {
  readonly db: Db
  readonly config: Config
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: Log
}): Promise<Served | null> {
  const { db, config, env, log } = ports
  const settings = config.file.calendar
  const address = settings === undefined ? undefined : addressOf(settings, env, 'CALENDAR')
  if (settings === undefined || address === undefined) return null
  if ('problem' in address) throw new StartFault('configuration', address.problem)
  const token = settings.token === undefined ? undefined : config.secret(settings.token)
  const feed: Feed = { db, config, token, store: await storeId(db) }
  const served = await listen(address, feed, log)
  log.info({ ...served.address }, 'the calendar is served')
  return served
}

const listen = (address: Address, feed: Feed, log: Log): Promise<Served> =>
  serveHttp(address, {
    answer: (request, response) => answer(feed, request, response),
    onFault: (error) => log.warn({ error: error.message }, 'the calendar could not be read; whoever asked asks again'),
  }).catch((error: unknown) => {
    throw whyNotServing(error, address, { what: 'the calendar', key: 'calendar.port', variable: 'CALENDAR_PORT' })
  })

async function answer(feed: Feed, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = URL.parse(request.url ?? '', 'http://calendar')
  const wanted = url === null ? undefined : wantedOf(feed, url)
  if (wanted === undefined) return send(response, 404, 'text/plain', 'There is nothing here.\n')
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return send(response, 405, 'text/plain', 'This is only read.\n', { allow: 'GET, HEAD' })
  // the library costs memory, and most installations serve no calendar
  const { calendarWindows, icsOf } = await import('./calendar.ts')
  const titleOf = (target: string) => feed.config.targets.get(target)?.title ?? target
  const name = wanted.target === null ? 'Maintenance windows' : `Maintenance of ${titleOf(wanted.target)}`
  const text = icsOf(await calendarWindows(feed.db, wanted.target), { name, store: feed.store, titleOf })
  const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`
  const headers = { etag, 'cache-control': 'private, no-cache', 'content-disposition': 'inline; filename="calendar.ics"' }
  if (request.headers['if-none-match']?.split(/,\s*/).some((one) => one.replace(/^W\//, '') === etag) === true)
    return void response.writeHead(304, headers).end()
  send(response, 200, 'text/calendar', text, headers)
}

function wantedOf({ token, config }: Feed, url: URL): { readonly target: string | null } | undefined {
  if (token !== undefined && !isSame(url.searchParams.get('token') ?? '', token)) return undefined
  if (url.pathname === '/calendar.ics') return { target: null }
  const target = /^\/calendar\/([a-z][a-z0-9-]*)\.ics$/.exec(url.pathname)?.[1]
  return target !== undefined && config.targets.has(target) ? { target } : undefined
}

const isSame = (given: string, wanted: string): boolean => timingSafeEqual(digest(given), digest(wanted))
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
