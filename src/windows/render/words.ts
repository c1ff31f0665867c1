import { dateText, durationText, escapeLine, listText, oneLine, personText, pluralText, codeText, truncate } from '../../lib/text/text.ts'
import type { ReleaseNotes } from '../window.ts'
import type { OpenItem } from '../store.ts'

/** Phrases that the announcement, its thread and the lists share. */

/** A stage on its own: `7 d before`, `At the start`. */
export function stageTitle(stage: string): string {
  const [kind, rest] = splitStage(stage)
  switch (kind) {
    case 'before':
      return `${durationText(Number(rest))} before`
    case 'start':
      return 'At the start'
    case 'during':
      return 'While it lasts'
    case 'end':
      return 'On completion, with release notes'
    default:
      return `Checklist ${rest}`
  }
}

export function splitStage(stage: string): readonly [kind: string, rest: string] {
  const at = stage.indexOf(':')
  return at < 0 ? [stage, ''] : [stage.slice(0, at), stage.slice(at + 1)]
}

/** Plain: `Production`, `Production and Staging`. */
export const titlesOf = (targets: readonly string[], titleOf: (target: string) => string): string =>
  listText(targets.map((target) => oneLine(titleOf(target))))

/** `2 open: tell support (<@U…>), freeze the feed.` */
export const openText = (open: readonly OpenItem[]): string =>
  `*Not done yet:* ${open.map(({ text, owner }) => `${escapeLine(text)}${owner === null ? '' : `, ${personText(owner)}`}`).join('; ')}.`

export const UNATTENDED = '*Nobody has said to stand by.* A run does not start by itself until somebody presses *I stand by* above.'

/** One line a run, and what they came to in all. */
export function notesText({ runs }: ReleaseNotes): string {
  if (runs.length === 0) return 'Nothing ran in it.'
  const lines = runs.slice(0, MOST_RUNS).map((run) => {
    const what = [
      runWords[run.state] ?? run.state,
      ...(run.durationMs === null ? [] : [durationText(run.durationMs)]),
      ...(run.commit === null ? [] : [commitText(run.commit, run)]),
      run.migrations.length === 0 ? 'no migration' : `${pluralText(run.migrations.length, 'migration')}: ${namesOf(run.migrations)}`,
    ]
    return `• #${run.id} ${codeText(run.target)} ${what.join(' · ')}`
  })
  const more = runs.length - MOST_RUNS
  return [`*${pluralText(runs.length, 'run')}*`, ...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n')
}

/** `commit abc1234, after def5678: “Show the discount”` */
function commitText(commit: string, { from, subject }: Pick<ReleaseNotes['runs'][number], 'from' | 'subject'>): string {
  const before = from === null || from === commit ? '' : `, after ${codeText(from.slice(0, 7))}`
  return `commit ${codeText(commit.slice(0, 7))}${before}${subject === null || subject === '' ? '' : `: “${escapeLine(truncate(subject, 80))}”`}`
}

const MOST_RUNS = 8
const MOST_NAMES = 5

const namesOf = (names: readonly string[]): string => {
  const more = names.length - MOST_NAMES
  return `${names.slice(0, MOST_NAMES).map(codeText).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

const runWords: Readonly<Record<string, string>> = {
  succeeded: 'done',
  running: 'still running',
  needs_human: 'needs a person',
}

export const clockOf = (at: number, zone: string): string => dateText(new Date(at), 'time', zone)
