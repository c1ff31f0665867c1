import { code } from '../lib/text/code.ts'
import { count, list, roughly, seconds } from '../lib/text/sentences.ts'
import { sizeText } from '../lib/text/units.ts'
import { escapeMarkup } from '../lib/text/escape.ts'
import type { Blocker } from '../request/blocker.ts'
import type { Figures } from './figures.ts'
import { TELL_MS, type Reason } from './decide.ts'
import type { SeenSession } from './session.ts'

/** ``14 queries of `shop-web` waited 2.1 s behind `ALTER TABLE "orders" …` ``: why it was cancelled, as mrkdwn without an end. */
export function reasonText(why: Reason, statement: string): string {
  const what = statement === '' ? 'the migration' : code(statement)
  switch (why.kind) {
    case 'queue':
      return `${queriesOf(why)} waited ${seconds(why.ms)} behind ${what}`
    case 'lag':
      return `the replicas fell ${seconds(why.ms)} behind during ${what}`
    case 'connections':
      return `${why.used} of ${why.most} connections were in use during ${what}`
    case 'disk':
      return `only ${sizeText(why.freeBytes)} of the server's disk were free during ${what}`
  }
}

function queriesOf({ count: n, applications }: Extract<Reason, { readonly kind: 'queue' }>): string {
  const named = applications.slice(0, 3).map(code)
  const others = applications.length > 3 ? [...named, 'others'] : named
  return `${count(n, 'query', 'queries')}${others.length === 0 ? '' : ` of ${list(others)}`}`
}

/** A statement as people may see it: on one line, short, and without the values in it, which may be those of customers. */
export function shownStatement(query: string | null, most = 60): string {
  const bare = (query ?? '')
    .replace(/\/\*.*?(\*\/|$)/g, ' ')
    .replace(/\$([A-Za-z_]\w*)?\$.*?(\$\1\$|$)/g, "'…'")
    .replace(/'(?:[^']|'')*('|$)/g, "'…'")
    .replace(/(?<![\w"$.])\d+(\.\d+)?(e[+-]?\d+)?(?!\w)/gi, '…')
    .replace(/\s+/g, ' ')
    .replace(/;\s*$/, '')
    .trim()
  return bare.length <= most ? bare : `${bare.slice(0, most).replace(/\s+\S*$/, '')} …`
}

/** `reporting`, or the role where it has no name. */
export const nameOf = ({ applicationName, role }: Pick<SeenSession, 'applicationName' | 'role'>): string =>
  [applicationName, role].find((name) => name !== null && name !== '') ?? 'another session'

/** `pid 4711, running for 38 min` */
export const detailOf = ({ pid, transactionMs }: Pick<SeenSession, 'pid' | 'transactionMs'>): string =>
  `${pid === 0 ? 'without a session' : `pid ${pid}`}${transactionMs === null ? '' : `, running for ${roughly(transactionMs)}`}`

/** What came of asking to end a session, as mrkdwn for everybody. */
export function endedText(
  { pid, askedBy, shown: { name, whyNotEnd } }: Pick<Blocker, 'pid' | 'askedBy' | 'shown'>,
  end: 'ended' | 'other' | 'not_allowed' | 'not_needed',
): string {
  const who = `${code(name)} (pid ${pid})`
  const by = askedBy === null ? 'it was asked' : `${askedBy.startsWith('os:') ? code(askedBy) : `<@${escapeMarkup(askedBy)}>`} asked`
  switch (end) {
    case 'ended':
      return `${who} was ended, as ${by}. The database takes back what it had not committed.`
    case 'other':
      return `${who} was not ended: since ${by}, it has gone or gone on to something else, and only what was shown is ended.`
    case 'not_needed':
      return `${who} was not ended: the migration was over before that, as ${by}.`
    case 'not_allowed':
      return `${who} was not ended: the database refused it. ${whyNotEnd ?? `Lockkeeper's role needs ${code('pg_signal_backend')} for it.`}`
  }
}

/** `; at most 14 queries waited behind it, for up to 1.9 s`: for the line of the step that has ended. Empty where nobody had to wait. */
export const waitedText = ({ most }: Figures): string =>
  most.queueMs < TELL_MS ? '' : `; at most ${count(most.queue, 'query', 'queries')} waited behind it, for up to ${seconds(most.queueMs)}`
