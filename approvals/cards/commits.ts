import { codeText, escapeLine, listText, pluralText } from '../../src/lib/text/text.ts'
import type { CommitsSince } from '../../src/plan/plan.ts'

const AUTHORS = 3

/** `12 since the live abc1234, by Ann (7), Bob (4) and 1 more`; null where nobody knows what is live. */
export function commitsText(commits: CommitsSince | undefined): string | null {
  if (commits === undefined) return null
  const { count, lost } = commits
  const live = `the live ${codeText(commits.live.slice(0, 7))}`
  if (count === 0 && lost === 0) return `none: this is ${live} itself`
  const back = lost === 0 ? null : `*${pluralText(lost, 'commit')} of ${live} ${lost === 1 ? 'is' : 'are'} not in it*: this goes back`
  if (count === 0) return back
  return [`${count.toLocaleString('en-US')} since ${live}, by ${authorsText(commits)}`, ...(back === null ? [] : [back])].join('. ')
}

/** The newest first, a line of mrkdwn each; what did not fit is counted. */
export function commitLines(commits: CommitsSince | undefined, most: number): readonly string[] {
  if (commits === undefined) return []
  const shown = commits.newest.slice(0, most)
  const rest = commits.count - shown.length
  return [
    ...shown.map(({ commit, subject, author }) => `• ${codeText(commit.slice(0, 7))} ${escapeLine(subject)}, by ${escapeLine(author)}`),
    ...(rest > 0 && shown.length > 0 ? [`… and ${pluralText(rest, 'more commit')}`] : []),
  ]
}

function authorsText({ authors }: CommitsSince): string {
  if (authors.length === 1) return escapeLine(authors[0]?.name ?? '')
  const shown = authors.slice(0, AUTHORS).map(({ name, commits }) => `${escapeLine(name)} (${commits})`)
  const rest = authors.length - shown.length
  return listText([...shown, ...(rest > 0 ? [`${rest} more`] : [])])
}
