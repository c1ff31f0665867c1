import { count } from '../../src/lib/text/quoted.ts'
import { escapeLine, truncateMrkdwn } from '../../src/lib/text/text.ts'
import type { Evidence } from '../../src/plan/plan.ts'
import { context, section } from '../../src/slack/blocks/blocks.ts'
import type { Block } from '../../src/slack/port.ts'
import type { MigrationClass } from '../../src/sql/effects/effect.ts'
import { list, mentionApprover } from '../wording.ts'
import { weights, type Finding } from '../../src/sql/weigh/finding.ts'

/** From the worst on: the order in which people are told. */
export const severity: readonly MigrationClass[] = ['breaking', 'unclear', 'transformative', 'additive']

/** `most` lines of at most `room` characters together. */
type Room = { readonly most: number; readonly room: number }

/** On the card: below the size from which texts are cut when a message gets too long. */
const onCard: Room = { most: 5, room: 1_500 }
/** Of the 3,000 characters of a section. */
export const inWindow: Room = { most: 20, room: 2_800 }

/** What the review found, the heaviest first. Only whole lines are shown, and all others are counted. */
export function findingsBlocks(
  evidence: Evidence | null,
  { space = onCard, waivers = [] }: { readonly space?: Room; readonly waivers?: readonly string[] } = {},
): readonly Block[] {
  const { lines, rest } = findingLines(evidence, space)
  if (lines.length === 0) return []
  const instead = space === onCard ? firstAdvice(evidence) : null
  return [
    section(['*What the review found*', ...lines].join('\n')),
    ...(rest > 0 ? [context(`and ${rest} more, beside the SQL in the thread`)] : []),
    ...(instead === null ? [] : [section(instead)]),
    ...blockedText(evidence, waivers).map((text) => section(text)),
  ]
}

/** The same as lines of mrkdwn: a migration with several findings one after another has a line of its own above them. */
export function findingLines(
  evidence: Evidence | null,
  { most, room }: Room,
): { readonly lines: readonly string[]; readonly rest: number } {
  const all = foundIn(evidence)
  const shown = all.slice(0, most)
  const lines: string[] = []
  let [left, told] = [room, 0]
  for (const [at, { name, mark, text }] of shown.entries()) {
    const [isFirst, isLast] = [shown[at - 1]?.name !== name, shown[at + 1]?.name !== name]
    const title = `*${escapeLine(name)}*`
    const says = `${mark === '' ? '' : `${mark}: `}${escapeLine(text)}`
    const next =
      isFirst && isLast
        ? [truncateMrkdwn(`• ${title}${mark === '' ? ': ' : ', '}${says}`, 500)]
        : [...(isFirst ? [title] : []), truncateMrkdwn(`• ${says}`, 500)]
    left -= next.reduce((sum, line) => sum + line.length + 1, 0)
    if (left < 0) break
    lines.push(...next)
    told += 1
  }
  return { lines, rest: all.length - told }
}

/** Those that nobody waived. */
export const blockersOf = (evidence: Evidence | null): readonly Finding[] =>
  (evidence?.findings ?? []).filter(({ weight, waived }) => weight === 'blocker' && waived === null)

/** What blockers mean, in mrkdwn; nothing where there are none. `waivers`: who may let them pass. */
export function blockedText(evidence: Evidence | null, waivers: readonly string[]): readonly string[] {
  const { length } = blockersOf(evidence)
  if (length === 0) return []
  const who = list(waivers.map(mentionApprover), 'or')
  const waive = who === '' ? '' : ` Or ${who} may let ${length === 1 ? 'it' : 'them'} pass with a reason, by Waive.`
  return [
    `*${count(length, 'blocker')}: this plan cannot be approved as it is.* Change the SQL the safe way, which Read the SQL shows, and ask again.${waive}`,
  ]
}

/** What to do about the gravest, for whoever reads no further. */
function firstAdvice(evidence: Evidence | null): string | null {
  const first = (evidence?.findings ?? []).find(({ weight, waived, advice }) => weight !== 'note' && waived === null && advice !== null)
  if (first?.advice === undefined || first.advice === null) return null
  return truncateMrkdwn(`*Instead of ${whereText(first)}.* ${escapeLine(first.advice.text)}.`, 700)
}

/** `line 3 of 20261119_orders`, or the name alone. */
export const whereText = ({ line, migration }: Pick<Finding, 'line' | 'migration'>): string =>
  `${line === null ? '' : `line ${line} of `}${escapeLine(migration)}`

const words = { blocker: '*blocker*', warning: 'warning', note: 'note' } as const

/** `*blocker*, line 3`; what somebody waived says so. */
export const markText = ({ weight, line, waived }: Finding): string =>
  [
    waived === null ? words[weight] : `${weight}, waived (“${escapeLine(truncateMrkdwn(waived.reason, 120))}”)`,
    ...(line === null ? [] : [`line ${line}`]),
  ].join(', ')

type Found = { readonly name: string; readonly text: string; readonly mark: string }

/**
 * The gravest first, what was waived last. A migration that breaks something or that nobody could read is told even when there is no more to say
 * than what it does.
 */
function foundIn(evidence: Evidence | null): readonly Found[] {
  const weighed = evidence?.findings ?? []
  const others = (evidence?.migrations ?? [])
    .toSorted((a, b) => severity.indexOf(a.class) - severity.indexOf(b.class))
    .flatMap(({ name, class: kind, summary, findings = [] }) => {
      const isHeavy = kind === 'breaking' || kind === 'unclear'
      const isTold = weighed.some((one) => one.migration === name)
      const texts = findings.length === 0 && isHeavy && !isTold ? [summary] : findings
      return texts.map((text) => ({ name, text, mark: '', rank: isHeavy ? 1.5 : 0.5 }))
    })
  const own = weighed.map((finding) => ({
    name: finding.migration,
    text: finding.text,
    mark: markText(finding),
    rank: finding.waived === null ? weights.indexOf(finding.weight) : -1,
  }))
  return [...own, ...others].toSorted((a, b) => b.rank - a.rank)
}
