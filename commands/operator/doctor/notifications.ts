import type { Queries } from '../../../src/store/pool.ts'
import { ageText, count, ok, warning, wrong, type Finding } from './finding.ts'

/** A second look is a second away, and a batch of thousands takes some. */
const OVERDUE_S = 60
/** The first retry comes after seconds, so that what waits for minutes was refused several times. */
const WAITING_S = 300

/** `ops@example.com: connect ECONNREFUSED` */
const lastWord = (state: 'pending' | 'given_up') =>
  `(select destination || ': ' || last_error from lockkeeper.delivery where state = '${state}' and last_error is not null order by id desc limit 1)`

type Row = {
  readonly overdue: number
  readonly overdueSeconds: number
  readonly waiting: number
  readonly waitingSeconds: number
  readonly givenUp: number
  readonly waitingFor: string | null
  readonly lost: string | null
  readonly unacknowledged: readonly number[]
}

/** Notices of maintenance windows, and what leaves by mail, webhooks and pages. */
export async function lookAtNotices(db: Queries, command: string): Promise<readonly Finding[]> {
  const [row] = await db.query<Row>(
    `select n.overdue, n."overdueSeconds", d.waiting, d."waitingSeconds", d."givenUp", 
       ${lastWord('pending')} as "waitingFor", ${lastWord('given_up')} as lost,
       (select coalesce(array_agg(distinct p.request_id::float8), '{}') from lockkeeper.page p where p.acknowledged_at is null and p.closed_at is null) as unacknowledged
     from
       (select count(*)::int as overdue, coalesce(extract(epoch from lockkeeper.now() - min(due_at)), 0)::float8 as "overdueSeconds"
        from lockkeeper.notice where state = 'pending' and due_at < lockkeeper.now() - ${OVERDUE_S} * interval '1 second') n,
       (select count(*) filter (where state = 'pending' and created_at < lockkeeper.now() - ${WAITING_S} * interval '1 second')::int as waiting,
          coalesce(extract(epoch from lockkeeper.now() - min(created_at) filter (where state = 'pending')), 0)::float8 as "waitingSeconds",
          count(*) filter (where state = 'given_up' and created_at > lockkeeper.now() - interval '7 days')::int as "givenUp"
        from lockkeeper.delivery) d`,
  )
  if (row === undefined) throw new Error('the store did not say what is to be told')
  const last = (word: string | null) => (word === null ? '' : `; the last word of ${word}`)
  const found = [
    ...(row.overdue === 0
      ? []
      : [
          wrong(
            'notices',
            `${count(row.overdue, 'notice')} of maintenance windows overdue, the oldest for ${ageText(row.overdueSeconds)}`,
            'No bot decides about them: start one, or look at its log for "what is due was not all done".',
          ),
        ]),
    ...(row.waiting === 0
      ? []
      : [
          warning(
            'deliveries',
            `${count(row.waiting, 'message')} outside of Slack not delivered for ${ageText(row.waitingSeconds)}${last(row.waitingFor)}`,
            'They are tried again for a day. lockkeeper check says whether the receiver can be reached.',
          ),
        ]),
    ...(row.givenUp === 0
      ? []
      : [
          warning(
            'deliveries',
            `${count(row.givenUp, 'message')} outside of Slack given up in the last 7 days${last(row.lost)}`,
            'Mend the receiver; what was given up is not sent any more.',
          ),
        ]),
    ...(row.unacknowledged.length === 0
      ? []
      : [
          warning(
            'on-call',
            `nobody has acknowledged ${row.unacknowledged.map((id) => `#${id}`).join(', ')}`,
            `Press Acknowledge in Slack, or type ${command} ack with the number.`,
          ),
        ]),
  ]
  return found.length === 0 ? [ok('notices', 'none overdue, and nothing outside of Slack waits')] : found
}
