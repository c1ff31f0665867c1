import { code, list } from '../../approvals/wording.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import { joinTokens } from '../../src/lib/text/escape.ts'
import { unfitCharacter } from './unicode.ts'
import { namedFirst, nearest } from './arguments.ts'
import { quoted, tokenize, unescapeSlack } from './tokens.ts'

/** What somebody wants of a maintenance window. Times are read by the verb, since they depend on the target's zone and the clock. */
export type WindowCommand =
  | { readonly verb: 'form' }
  | { readonly verb: 'help' }
  | { readonly verb: 'list'; readonly target: string | null }
  | {
      readonly verb: 'schedule'
      readonly targets: readonly string[]
      /** When, how long and perhaps why, as typed. */
      readonly words: readonly string[]
      readonly work: string | null
      readonly name: string | null
    }
  | { readonly verb: 'reschedule' | 'extend'; readonly id: number; readonly words: readonly string[] }
  | { readonly verb: 'start' | 'complete'; readonly id: number }
  | { readonly verb: 'show' | 'checklist'; readonly id: number }
  | { readonly verb: 'cancel'; readonly id: number; readonly reason: string | null }

export type WindowVerb = Exclude<WindowCommand['verb'], 'form'>

export const windowVerbs = [
  'schedule',
  'list',
  'show',
  'reschedule',
  'start',
  'extend',
  'complete',
  'cancel',
  'checklist',
  'help',
] as const satisfies readonly WindowVerb[]

/** `command`: as it is typed, `/maintenance` or `lockkeeper maintenance`. */
export type KnownHere = { readonly targets: readonly string[]; readonly command: string }

export const usageOf: Readonly<Record<WindowVerb, string>> = {
  schedule: 'schedule <target[,target]> "<when>" <how long> ["reason"] [--work "what runs"] [--name N]',
  list: 'list [target]',
  show: 'show <id>',
  reschedule: 'reschedule <id> "<when>" [how long]',
  start: 'start <id>',
  extend: 'extend <id> <how long>',
  complete: 'complete <id>',
  cancel: 'cancel <id> ["reason"]',
  checklist: 'checklist <id>',
  help: 'help',
}

/** `id`: the window that it is about, where one was named. */
export function exampleOf(verb: WindowVerb, { command, targets }: KnownHere, id = 7): string {
  const examples: Readonly<Record<WindowVerb, string>> = {
    schedule: `schedule ${targets[0] ?? 'prod'} "Tue 02:00" 2h "drop legacy columns"`,
    list: 'list',
    show: `show ${id}`,
    reschedule: `reschedule ${id} "Wed 02:00" 90m`,
    start: `start ${id}`,
    extend: `extend ${id} 30m`,
    complete: `complete ${id}`,
    cancel: `cancel ${id} "not ready"`,
    checklist: `checklist ${id}`,
    help: 'help',
  }
  return `${command} ${examples[verb]}`
}

const LONGEST_TEXT = 2_000
export const LONGEST_REASON = 500
const LONGEST_WORK = 500

/** What stands after the slash command, as Slack sent it. */
export function parseWindow(sent: string, known: KnownHere): WindowCommand | Refusal {
  const text = joinTokens(sent)
  if (text.length > LONGEST_TEXT) return tooLong(text.length, known)
  const unfit = unfitCharacter(text)
  if (unfit !== undefined)
    return refuse(
      'bad_arguments',
      `The command contains ${unfit}, and a command is one line of visible text. Nothing was changed. Type it again.`,
    )
  const words = tokenize(unescapeSlack(text))
  return isRefusal(words) ? words : parseWindowWords(words, known)
}

/** Words that are split already, as a shell hands them over. */
export function parseWindowWords(sent: readonly string[], everywhere: KnownHere): WindowCommand | Refusal {
  const words = sent.map(joinTokens)
  const known = namedFirst(everywhere, words)
  const unfit = words.map(unfitCharacter).find((found) => found !== undefined)
  if (unfit !== undefined) return refuse('bad_arguments', `The command contains ${unfit}. Nothing was changed. Type it again.`)
  const length = words.join(' ').length
  if (length > LONGEST_TEXT) return tooLong(length, known)
  const [first, ...rest] = words
  if (first === undefined || (first.toLowerCase() === 'schedule' && rest.length === 0)) return { verb: 'form' }
  const verb = windowVerbs.find((each) => each === first.toLowerCase())
  if (verb === undefined) return /^(--help|-h|\?)$/.test(first) ? { verb: 'help' } : unknownVerb(first, rest, known)
  if (verb === 'help') return { verb }
  if (verb === 'list') return parseList(rest, known)
  return verb === 'schedule' ? parseSchedule(rest, known) : parseAbout(verb, rest, known)
}

const tooLong = (length: number, known: KnownHere) =>
  refuse(
    'bad_arguments',
    `That is ${length.toLocaleString('en-US')} characters long, and a command has at most ${LONGEST_TEXT.toLocaleString('en-US')}. Nothing was changed. Shorten the reason: ${code(exampleOf('schedule', known), 120)}`,
  )

function unknownVerb(word: string, rest: readonly string[], known: KnownHere): Refusal {
  if (known.targets.includes(word))
    return refuse('unknown_verb', `${code(word)} is a target, and the verb is missing. Nothing was changed. ${howTo('schedule', known)}`)
  const near = nearest(word, windowVerbs)
  const again = near === undefined ? '' : `${known.command} ${[near, ...rest].map(quoted).join(' ')}`
  const meant =
    near === undefined
      ? ` ${code(`${known.command} help`)} lists the verbs.`
      : ` Did you mean ${code(near)}? For example ${code(again, 120)}.`
  return refuse('unknown_verb', `${code(word, 40)} is no verb of maintenance windows. Nothing was changed.${meant}`)
}

const howTo = (verb: WindowVerb, known: KnownHere) => `For example: ${code(exampleOf(verb, known), 120)}.`

function parseSchedule(words: readonly string[], known: KnownHere): WindowCommand | Refusal {
  const options = takeOptions(words, ['work', 'name'], known)
  if (isRefusal(options)) return options
  const [targetList = '', ...rest] = options.words
  const targets = readTargets(targetList, known)
  if (isRefusal(targets)) return targets
  const { work = null, name = null } = options.values
  if (work !== null && work.length > LONGEST_WORK)
    return refuse(
      'bad_arguments',
      `What runs is said in at most ${LONGEST_WORK} characters. Nothing was changed. ${howTo('schedule', known)}`,
    )
  if (name !== null && !/^[a-z][a-z0-9-]{0,30}$/.test(name))
    return refuse(
      'bad_arguments',
      `${code(name, 40)} cannot be a name: it has small letters, digits and dashes. Nothing was changed. For example ${code('--name drop-legacy')}.`,
    )
  return { verb: 'schedule', targets, words: rest, work, name }
}

/** One or several, separated by commas. */
export function readTargets(text: string, known: KnownHere): readonly string[] | Refusal {
  const names = [...new Set(text.split(',').map((name) => name.trim()))].filter((name) => name !== '')
  if (names.length === 0)
    return refuse(
      'bad_arguments',
      `A window needs a target: ${list(
        known.targets.map((name) => code(name)),
        'or',
      )}. Nothing was changed. ${howTo('schedule', known)}`,
    )
  const unknown = names.find((name) => !known.targets.includes(name))
  if (unknown === undefined) return names
  const near = nearest(unknown, known.targets)
  return refuse(
    'unknown_target',
    `There is no target ${code(unknown, 40)}. Nothing was changed. ${near === undefined ? `The targets are ${list(known.targets.map((name) => code(name)))}.` : `Did you mean ${code(near)}?`}`,
  )
}

function parseList([name, more]: readonly string[], known: KnownHere): WindowCommand | Refusal {
  if (name === undefined) return { verb: 'list', target: null }
  if (more !== undefined)
    return refuse('bad_arguments', `${code(more, 40)} is more than ${code('list')} takes. Nothing was changed. ${howTo('list', known)}`)
  const targets = readTargets(name, known)
  return isRefusal(targets) ? targets : { verb: 'list', target: targets[0] ?? null }
}

function parseAbout(
  verb: Exclude<WindowVerb, 'schedule' | 'list' | 'help'>,
  [first, ...words]: readonly string[],
  known: KnownHere,
): WindowCommand | Refusal {
  const digits = /^#?([1-9]\d{0,14})$/.exec(first ?? '')?.[1]
  if (digits === undefined)
    return refuse(
      'bad_arguments',
      `${first === undefined ? `${code(verb)} needs the number of a window.` : `${code(first, 40)} is not the number of a window.`} Nothing was changed. ${howTo(verb, known)}`,
    )
  const id = Number(digits)
  if (verb === 'reschedule' || verb === 'extend') return { verb, id, words }
  if (verb === 'cancel') {
    const reason = checkReason(words.join(' '), known)
    return isRefusal(reason) ? reason : { verb, id, reason: reason === '' ? null : reason }
  }
  const [more] = words
  if (more !== undefined)
    return refuse('bad_arguments', `${code(more, 40)} is more than ${code(verb)} takes. Nothing was changed. ${howTo(verb, known)}`)
  return verb === 'start' || verb === 'complete' ? { verb, id } : { verb, id }
}

export function checkReason(reason: string, known: KnownHere): string | Refusal {
  if (reason.length <= LONGEST_REASON) return reason
  return refuse(
    'bad_arguments',
    `The reason is ${reason.length.toLocaleString('en-US')} characters long, and at most ${LONGEST_REASON} fit into the announcement. Nothing was changed. ${howTo('schedule', known)}`,
  )
}

type Options = { readonly words: readonly string[]; readonly values: Readonly<Record<string, string>> }

/** `--work "…"` and `--work="…"`; telephones turn -- into a dash. */
function takeOptions(words: readonly string[], allowed: readonly string[], known: KnownHere): Options | Refusal {
  const rest: string[] = []
  const values: Record<string, string> = {}
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    const [, name, inline] = /^(?:--|[\u2013\u2014])([a-z-]+)(?:=(.*))?$/s.exec(word) ?? []
    if (name === undefined) {
      rest.push(word)
      continue
    }
    const value = inline ?? words[++at]
    if (!allowed.includes(name))
      return refuse(
        'bad_arguments',
        `${code(word, 40)} is no option of ${code('schedule')}, which takes ${list(allowed.map((each) => code(`--${each}`)))}. Nothing was changed. ${howTo('schedule', known)}`,
      )
    if (value === undefined || value.trim() === '')
      return refuse('bad_arguments', `${code(`--${name}`)} needs a value after it. Nothing was changed. ${howTo('schedule', known)}`)
    values[name] = value.trim()
  }
  return { words: rest, values }
}
