import { code, inShell } from '../../lib/text/code.ts'
import { count, listed, quoted } from '../../lib/text/quoted.ts'
import { listText } from '../../lib/text/text.ts'
import type { Captured } from '../../process/capture.ts'
import { stop, warn, type Finding } from './finding.ts'

/** What is found in a checkout that deploy steps switch, in mrkdwn. */

const wouldBeRefused = (title: string) => `The step ${quoted(title)} would be refused by git after the migrations`

/** `before`: files that `git stash` passes over, or stumbles on, until `git update-index` was called for them with that option. */
export const inTheWayThere = (
  title: string,
  directory: string,
  names: readonly string[],
  before: Readonly<Record<string, readonly string[]>>,
): Finding => {
  const it = names.length === 1 ? 'it' : 'them'
  const first = Object.entries(before).flatMap(([option, files]) =>
    files.length === 0 ? [] : [code(`git update-index ${option} -- ${files.map(inShell).join(' ')}`)],
  )
  const stash = `${first.length === 0 ? '' : `first ${listText(first)}, then `}\`git stash --include-untracked\``
  return stop(
    'live_checkout',
    `${wouldBeRefused(title)}: in ${quoted(directory)} ${was(names)} by hand, and the approved commit has ${it} otherwise. Put ${it} back or away there (${stash}).`,
  )
}

export const halfway = (
  title: string,
  directory: string,
  { going, unmerged }: { readonly going: string | undefined; readonly unmerged: readonly string[] },
): Finding => {
  const conflicts = unmerged.length === 0 ? '' : `${listed(unmerged)} ${unmerged.length === 1 ? 'has' : 'have'} conflicts`
  const unfinished = going === undefined ? '' : `a ${going} is not finished`
  const end =
    going === undefined
      ? 'Resolve them there.'
      : `Finish it there, or give it up: \`git ${going} ${going === 'bisect' ? 'reset' : '--abort'}\`.`
  return stop(
    'live_checkout',
    `${wouldBeRefused(title)}: in ${quoted(directory)} ${[unfinished, conflicts].filter((part) => part !== '').join(', and ')}. ${end}`,
  )
}

export const locked = (title: string, directory: string, lock: string): Finding =>
  stop(
    'live_checkout',
    `${wouldBeRefused(title)} if ${quoted(lock)} were still there: another git command works in ${quoted(directory)}, or one was killed. When none does any more, remove that file.`,
  )

export const notThere = (title: string, directory: string): Finding =>
  warn(
    'live_checkout',
    `${quoted(directory)}, where the step ${quoted(title)} works, does not exist. Unless a step before it makes that directory, the step will fail after the migrations.`,
  )

export const overwritten = (title: string, directory: string, names: readonly string[]): Finding =>
  warn('live_checkout', `The step ${quoted(title)} overwrites what was changed by hand in ${quoted(directory)}: ${listed(names)}.`)

export const overwrittenIgnored = (title: string, directory: string, names: readonly string[]): Finding =>
  warn(
    'live_checkout',
    `In ${quoted(directory)} git ignores ${listed(names)}, and the approved commit brings ${names.length === 1 ? 'it' : 'them'}. The step ${quoted(title)} overwrites ${names.length === 1 ? 'it' : 'them'} without asking. Copy ${names.length === 1 ? 'it' : 'them'} away first if ${names.length === 1 ? 'it is' : 'they are'} needed.`,
  )

export const carried = (title: string, directory: string, names: readonly string[]): Finding =>
  warn(
    'live_checkout',
    `In ${quoted(directory)} ${was(names)} by hand. The step ${quoted(title)} leaves ${names.length === 1 ? 'it' : 'them'} so, so what will be live is not exactly the approved commit.`,
  )

const was = (names: readonly string[]) =>
  `${count(names.length, 'file')} (${listed(names)}) ${names.length === 1 ? 'was' : 'were'} changed or added`

/** `index`: the copy that was asked about in place of the one in `own`. */
export function unread(title: string, directory: string, end: Captured, at?: { readonly index: string; readonly own: string }): Finding {
  const line = end.stderr.split('\n')[0] ?? ''
  if (line.includes('dubious ownership'))
    return warn(
      'live_checkout',
      `${quoted(directory)} belongs to another user than the bot, so git would refuse the step ${quoted(title)}. Unless that step runs as its owner, tell git of the bot’s user: \`git config --global --add safe.directory ${inShell(directory)}\`.`,
    )
  const said = at === undefined ? line : line.replaceAll(at.index, `${at.own}/index`)
  return warn(
    'live_checkout',
    `Whether git will let the step ${quoted(title)} switch ${quoted(directory)} could not be found out: ${quoted(said)}.`,
  )
}
