import { code, list } from '../../approvals/wording.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import { timeWords } from '../../src/calendar/time-words.ts'
import { joinTokens } from '../../src/lib/text/escape.ts'
import { unfitCharacter, whichCharacter } from './unicode.ts'
import { checkDigest, checkId, checkReason, checkRef, checkTarget, looksLike, namedFirst, nearest } from './arguments.ts'
import { quoted, tokenize, unescapeSlack } from './tokens.ts'
import { howTo, knownVerbs, laterVerbs, verbs, votingVerbs, type AnyVerb, type Known, type Verb } from './usage.ts'
import { type Read, readArguments } from './options.ts'

/** What somebody wants, with every part checked for its form; whether it may happen is decided later. */
export type Command =
  | { readonly verb: 'modal' }
  | { readonly verb: 'help'; readonly topic: Verb | null }
  | { readonly verb: 'status'; readonly target: string | null }
  | { readonly verb: 'plan'; readonly target: string; readonly ref: string | null }
  | {
      readonly verb: 'deploy'
      readonly target: string
      readonly ref: string | null
      readonly reason: string | null
      readonly skipApp: boolean
      /** To run without approvals, if somebody who may breaks the glass. */
      readonly breakGlass?: true
      /** When it starts by itself, as it was typed: a time, or the name or number of a maintenance window. */
      readonly at?: string
      readonly inWindow?: string
      /** Why it may start outside of windows and in a freeze. */
      readonly override?: string
    }
  | { readonly verb: 'break-glass'; readonly id: number; readonly digest: string | null; readonly reason: string | null }
  | { readonly verb: 'cancel'; readonly id: number }
  | { readonly verb: 'ack'; readonly id: number }
  | { readonly verb: 'history'; readonly target: string | null }
  | { readonly verb: 'show'; readonly id: number }
  /** `out`: a directory, on the command line only. */
  | { readonly verb: 'export'; readonly id: number; readonly out: string | null }
  /** `words`: until when and why, as they were typed; `target`: null means all. */
  | { readonly verb: 'freeze' | 'lock'; readonly target: string | null; readonly words: readonly string[]; readonly reason: string | null }
  | { readonly verb: 'unfreeze' | 'unlock'; readonly target: string | null }
  | { readonly verb: 'approve'; readonly id: number; readonly digest: string | null }
  | { readonly verb: 'reject'; readonly id: number; readonly digest: string | null; readonly reason: string | null }

/** What stands after the slash command, as Slack sent it. */
export function parseText(sent: string, known: Known): Command | Refusal {
  const text = joinTokens(sent)
  if (text.length > LONGEST_TEXT)
    return refuse(
      'bad_arguments',
      `That is ${text.length.toLocaleString('en-US')} characters long, and a command has at most ${LONGEST_TEXT.toLocaleString('en-US')}. Nothing was started. Shorten the reason.`,
    )
  const unfit = unfitCharacter(text)
  if (unfit !== undefined)
    return refuse(
      'bad_arguments',
      `The command contains ${unfit}, and a command is one line of visible text. Nothing was started. Type it again.`,
    )
  const words = tokenize(unescapeSlack(text))
  return isRefusal(words) ? words : parseWords(words, known)
}

/** Words that are split already, as a shell hands them over. */
export function parseWords(sent: readonly string[], everywhere: Known): Command | Refusal {
  const words = sent.map(joinTokens)
  const known = namedFirst(everywhere, words)
  const unfit = words.map(unfitCharacter).find((found) => found !== undefined)
  if (unfit !== undefined)
    return refuse(
      'bad_arguments',
      `The command contains ${unfit}, and a command is one line of visible text. Nothing was started. Type it again.`,
    )
  const tooLong = words.find((word) => word.length > LONGEST_TEXT)
  if (tooLong !== undefined)
    return refuse(
      'bad_arguments',
      `${code(tooLong, 20)} is ${tooLong.length.toLocaleString('en-US')} characters long, and a word has at most ${LONGEST_TEXT.toLocaleString('en-US')}.`,
    )
  const [first, ...rest] = words
  if (first === undefined) return { verb: 'modal' }
  const verb = readVerb(first, rest, known)
  if (isRefusal(verb)) return verb
  const read = readArguments(verb, rest, known)
  return isRefusal(read) ? read : build(verb, read, known)
}

export const LONGEST_TEXT = 2_000

function readVerb(word: string, rest: readonly string[], known: Known): AnyVerb | Refusal {
  const typed = word.toLowerCase()
  const verb = knownVerbs(known).find((each) => each === typed)
  if (verb !== undefined) return verb
  if (typed === '--help' || typed === '-h' || typed === '?') return 'help'
  const later = laterVerbs.find((each) => each === typed)
  if (later !== undefined)
    return refuse(
      'not_available_yet',
      `${code(later)} is not available yet. Nothing was started. Available now: ${list(knownVerbs(known).map((each) => code(each)))}.`,
    )
  if (votingVerbs.some((each) => each === typed))
    return refuse(
      'unknown_verb',
      `Votes are given by the buttons of the card, and on the machine with ${code(`lockkeeper ${typed}`)} while Slack cannot be reached. Nothing was changed.`,
    )
  const foreign = whichCharacter(word)
  if (foreign !== undefined)
    return refuse(
      'unknown_verb',
      `${code(word, 40)} is no verb: ${foreign}. Nothing was started.${suggestion(looksLike(word), knownVerbs(known), known, rest)}`,
    )
  if (known.targets.includes(word))
    return refuse(
      'unknown_verb',
      `${code(word)} is a target, and the verb is missing. Nothing was started. To see what is pending: ${code(`${known.command} status ${word}`)}. To ask for a run: ${code(`${known.command} deploy ${word}`)}.`,
    )
  return refuse(
    'unknown_verb',
    `${code(word, 40)} is no verb that Lockkeeper knows. Nothing was started.${suggestion(typed, [...knownVerbs(known), ...laterVerbs], known, rest)}`,
  )
}

function suggestion(word: string, among: readonly string[], known: Known, rest: readonly string[]): string {
  const near = nearest(word, among)
  if (near === undefined) return ` ${code(`${known.command} help`)} lists the verbs.`
  const again = `${known.command} ${[near, ...rest].map(quoted).join(' ')}`
  return ` Did you mean ${code(near)}? For example ${code(again.length <= 120 ? again : `${known.command} ${near}`, 120)}.`
}

function build(verb: AnyVerb, read: Read, known: Known): Command | Refusal {
  const [first, second, ...more] = read.positionals
  if (second !== undefined && read.at !== null && timeWords([...read.at.split(/\s+/), second]) > timeWords(read.at.split(/\s+/)))
    return refuse(
      'bad_arguments',
      `${code(second, 40)} is more than ${code(verb)} takes. A time of several words stands in quotation marks: ${code(`--at ${quoted(`${read.at} ${second}`)}`, 120)}. Nothing was started.`,
    )
  if (second !== undefined && verb !== 'freeze' && verb !== 'lock')
    return refuse(
      'bad_arguments',
      read.reason === null
        ? `${code(second, 40)} is more than ${code(verb)} takes. Nothing was started. ${howTo(verb, known)}`
        : `${code(second, 40)} is more than ${code(verb)} takes. A reason of several words stands in quotation marks. Nothing was started. ${howTo(verb, known)}`,
    )
  const ref = checkRef(read.ref)
  if (isRefusal(ref)) return ref
  const reason = checkReason(read.reason)
  if (isRefusal(reason)) return reason
  switch (verb) {
    case 'help': {
      const topic = verbs.find((each) => each === first?.toLowerCase())
      return { verb, topic: topic ?? null }
    }
    case 'status':
    case 'history': {
      const target = first === undefined ? null : checkTarget(first, verb, known)
      return isRefusal(target) ? target : { verb, target }
    }
    case 'plan':
    case 'deploy': {
      const target = checkTarget(first, verb, known)
      if (isRefusal(target)) return target
      if (verb === 'plan') return { verb, target, ref }
      const start = readStart(read, known)
      return isRefusal(start)
        ? start
        : { verb, target, ref, reason, skipApp: read.skipApp, ...(read.breakGlass ? { breakGlass: true } : {}), ...start }
    }
    case 'ack':
    case 'cancel':
    case 'show': {
      const id = checkId(first, verb, known)
      return isRefusal(id) ? id : { verb, id }
    }
    case 'export': {
      const id = checkId(first, verb, known)
      return isRefusal(id) ? id : { verb, id, out: read.out }
    }
    case 'freeze':
    case 'lock':
    case 'unfreeze':
    case 'unlock': {
      const isAll = first?.toLowerCase() === 'all' && !verb.endsWith('lock')
      const target = isAll ? null : checkTarget(first, verb, known)
      if (isRefusal(target)) return target
      if (verb === 'unfreeze' || verb === 'unlock') return { verb, target }
      return { verb, target, words: second === undefined ? [] : [second, ...more], reason }
    }
    case 'break-glass':
    case 'approve':
    case 'reject': {
      const id = checkId(first, verb, known)
      if (isRefusal(id)) return id
      const digest = checkDigest(read.digest)
      if (isRefusal(digest)) return digest
      return verb === 'approve' ? { verb, id, digest } : { verb, id, digest, reason }
    }
  }
}

/** At most one of them: a time, a window, or at once in spite of both. */
function readStart(
  { at, inWindow, override }: Read,
  known: Known,
): Pick<Extract<Command, { verb: 'deploy' }>, 'at' | 'inWindow' | 'override'> | Refusal {
  const given = [
    ...(at === null ? [] : ['--at']),
    ...(inWindow === null ? [] : ['--in-window']),
    ...(override === null ? [] : ['--override']),
  ]
  if (given.length > 1)
    return refuse(
      'bad_arguments',
      `${list(given.map((each) => code(each)))} exclude each other: a run waits for one time, or for none. Nothing was started. ${howTo('deploy', known)}`,
    )
  const reason = checkReason(override)
  if (isRefusal(reason)) return reason
  return {
    ...(at === null ? {} : { at }),
    ...(inWindow === null ? {} : { inWindow }),
    ...(reason === null ? {} : { override: reason }),
  }
}
