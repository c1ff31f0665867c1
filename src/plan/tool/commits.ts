import { plainText } from '../../lib/text/quoted.ts'
import { together } from '../../lib/together.ts'
import { gitOutput, type Git } from '../git.ts'
import type { CommitsSince } from '../plan.ts'

const SHOWN = 20
const COUNTED = 1_000

/** What `commit` brings beside the live one, which may be shortened; null when the repository does not have that, or not certainly that. */
export async function commitsSince(git: Git, live: string, commit: string): Promise<CommitsSince | null> {
  if (!/^[0-9a-f]{7,64}$/.test(live)) return null
  const end = await git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${live}^{commit}`])
  if (end.exitCode !== 0) return null
  const whole = end.stdout.toString('utf8').trim()
  const [counts, log] = await together([
    gitOutput(git, ['rev-list', '--count', '--no-merges', '--left-right', `${whole}...${commit}`]),
    gitOutput(git, [
      'log',
      '--no-merges',
      '--no-show-signature',
      `--max-count=${COUNTED}`,
      '--format=%H%x00%an%x00%s',
      `${whole}..${commit}`,
    ]),
  ])
  const [lost = 0, count = 0] = counts.toString('utf8').trim().split('\t').map(Number)
  const all = log
    .toString('utf8')
    .split('\n')
    .flatMap((line) => {
      const [sha, author, subject] = line.split('\0')
      return sha === undefined || author === undefined || subject === undefined
        ? []
        : [{ commit: sha, author: plainText(author, 80), subject: plainText(subject) }]
    })
  const authors = [...Map.groupBy(all, ({ author }) => author)]
    .map(([name, commits]) => ({ name, commits: commits.length }))
    .toSorted((a, b) => b.commits - a.commits)
  return { live: whole, count, newest: all.slice(0, SHOWN), authors, lost }
}
