import type { Queries } from '../../src/store/pool.ts'
import type { Ask } from '../../src/request/request.ts'
import { zoneTime } from '../../src/calendar/say.ts'
import { typedTime } from '../../src/calendar/say.ts'
import { nextChance, type Shut, type Times } from '../gate.ts'
import type { Actor } from '../people.ts'

/** What somebody may take instead of a refusal: the same request, queued for the next opening. A button carries its token and nothing else. */
export type Offer = {
  readonly token: string
  readonly account: string
  readonly human: string
  readonly target: string
  readonly ask: Ask
  readonly askedIn: string | null
  readonly notBefore: Date
  readonly requestId: number | null
}

/** How it is shown; `typed` is what does the same on a command line. */
export type OfferShown = { readonly token: string; readonly label: string; readonly typed: string }

const KEPT = `interval '7 days'`

/** Undefined when nothing opens ahead. */
export async function makeOffer(
  db: Queries,
  made: { readonly times: Times; readonly shut: Shut; readonly actor: Actor; readonly ask: Ask; readonly askedIn: string | null },
  token: string,
  command: string,
): Promise<OfferShown | undefined> {
  const { times, shut, actor, ask, askedIn } = made
  const next = nextChance(times, shut.status, times.now)
  if (next === null) return undefined
  const { name, timezone } = times.target
  const at = Math.max(next.from, times.now)
  await db.query(
    `with old as (delete from lockkeeper.offer where made_at < lockkeeper.now() - ${KEPT} and request_id is null)
     insert into lockkeeper.offer (token, account, human, target, ask, asked_in, not_before)
     values ($1, $2, $3, $4, $5, $6, to_timestamp($7::float8 / 1000))`,
    [token, actor.account, actor.human, name, JSON.stringify(ask), askedIn, at],
  )
  return {
    token,
    label: `Queue for ${zoneTime(at, timezone)}`.slice(0, 75),
    typed: typedOffer(command, name, ask, `${typedTime(at, timezone)} ${timezone}`),
  }
}

function typedOffer(command: string, target: string, ask: Ask, at: string): string {
  const ref = ask.ref === null ? '' : ` --ref ${/["'\\\u2018-\u201f\u00ab\u00bb]/.test(ask.ref) ? inQuotes(ask.ref) : ask.ref}`
  const reason = ask.reason === null ? '' : ` --reason ${inQuotes(ask.reason)}`
  return `${command} deploy ${target} --at "${at}"${ref}${reason}${ask.skipApp ? ' --skip-app' : ''}`
}

const inQuotes = (words: string) => `"${words.replace(/["\\]/g, '\\$&')}"`

export async function offerByToken(db: Queries, token: string): Promise<Offer | undefined> {
  if (!/^[\w-]{1,64}$/.test(token)) return undefined
  const rows = await db.query<Offer>(
    `select token, account, human, target, ask, asked_in as "askedIn", not_before as "notBefore", request_id as "requestId"
     from lockkeeper.offer where token = $1`,
    [token],
  )
  return rows[0]
}

/** False when it was taken meanwhile. */
export async function takeOffer(db: Queries, token: string, requestId: number): Promise<boolean> {
  const rows = await db.query('update lockkeeper.offer set request_id = $2 where token = $1 and request_id is null returning 1', [
    token,
    requestId,
  ])
  return rows.length > 0
}
