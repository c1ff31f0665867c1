import { codeText, pluralText, truncate } from '../lib/text/text.ts'
import type { Difference } from './differences.ts'
import type { LiveSchema } from './look.ts'

const SHOWN = 5

/** One line of mrkdwn without a full stop at the end of a list; null where there is nothing to say. `atText`: when it was left so. */
export function liveSchemaText(live: LiveSchema, atText: (at: Date) => string): string | null {
  if (live.kind === 'not known')
    return live.why === 'no run'
      ? null
      : 'Schema: not compared, since a later run in this database was not verified. The next run that is compares again'
  const { requestId, takenAt } = live.since
  const left = `#${requestId} left it (${atText(takenAt)})`
  if (live.kind === 'same') return `Schema: as ${left}`
  const shown = live.differences.slice(0, SHOWN).map(differenceText)
  const rest = live.differences.length - shown.length
  return `*The schema is not as ${left}*: ${[...shown, ...(rest > 0 ? [`and ${pluralText(rest, 'more difference')}`] : [])].join('; ')}. Nothing that ran through Lockkeeper did that. Put it into a migration or undo it, so that what is tested is what is live`
}

export function differenceText({ kind, name, on, change }: Difference): string {
  const what = `the ${kind} ${codeText(name)}${on === null ? '' : ` on ${codeText(on)}`}`
  if (change.kind !== 'other') return `${what} is ${change.kind}`
  // of a body, a default or a check only a hash is known, which tells nobody anything
  const [from, to] = [change.from, change.to].map((text) => truncate(text.replaceAll('public.', ''), 80))
  return HASH.test(`${change.from} ${change.to}`)
    ? `${what} is another`
    : `${what} is ${codeText(to ?? '')} and was ${codeText(from ?? '')}`
}

const HASH = /\b[0-9a-f]{8}(?:[0-9a-f]{24})?\b/
