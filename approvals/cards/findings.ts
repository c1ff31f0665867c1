import { escapeLine, truncateMrkdwn } from '../../src/lib/text/text.ts'
import type { Evidence } from '../../src/plan/plan.ts'
import { context, section } from '../../src/slack/blocks/blocks.ts'
import type { Block } from '../../src/slack/port.ts'
import type { MigrationClass } from '../../src/sql/effects/effect.ts'

/** From the worst on: the order in which people are told. */
export const severity: readonly MigrationClass[] = ['breaking', 'unclear', 'transformative', 'additive']

/** `most` lines of at most `room` characters together. */
type Room = { readonly most: number; readonly room: number }

/** On the card: below the size from which texts are cut when a message gets too long. */
const onCard: Room = { most: 8, room: 1_100 }
/** Of the 3,000 characters of a section. */
export const inWindow: Room = { most: 20, room: 2_800 }

/** What the review found, the heaviest first. Only whole lines are shown, and all others are counted. */
export function findingsBlocks(evidence: Evidence | null, space = onCard): readonly Block[] {
  const { lines, rest } = findingLines(evidence, space)
  if (lines.length === 0) return []
  return [
    section(['*What the review found*', ...lines].join('\n')),
    ...(rest > 0 ? [context(`and ${rest} more, beside the SQL in the thread`)] : []),
  ]
}

/** The same as lines of mrkdwn: a migration with several findings has a line of its own above them. */
export function findingLines(
  evidence: Evidence | null,
  { most, room }: Room,
): { readonly lines: readonly string[]; readonly rest: number } {
  const all = foundIn(evidence)
  const shown = all.slice(0, most)
  const lines: string[] = []
  let [left, told] = [room, 0]
  for (const [at, { name, text }] of shown.entries()) {
    const [isFirst, isLast] = [shown[at - 1]?.name !== name, shown[at + 1]?.name !== name]
    const title = `*${escapeLine(name)}*`
    const next =
      isFirst && isLast
        ? [truncateMrkdwn(`• ${title}: ${escapeLine(text)}`, 500)]
        : [...(isFirst ? [title] : []), truncateMrkdwn(`• ${escapeLine(text)}`, 500)]
    left -= next.reduce((sum, line) => sum + line.length + 1, 0)
    if (left < 0) break
    lines.push(...next)
    told += 1
  }
  return { lines, rest: all.length - told }
}

/** A migration that breaks something or that nobody could read is told here even when there is no more to say than what it does. */
function foundIn(evidence: Evidence | null): readonly { readonly name: string; readonly text: string }[] {
  return (evidence?.migrations ?? [])
    .toSorted((a, b) => severity.indexOf(a.class) - severity.indexOf(b.class))
    .flatMap(({ name, class: kind, summary, findings = [] }) => {
      const isHeavy = kind === 'breaking' || kind === 'unclear'
      return (findings.length === 0 && isHeavy ? [summary] : findings).map((text) => ({ name, text }))
    })
}
