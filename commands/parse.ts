import { parseArgs } from 'node:util'
import { closest, distance } from 'fastest-levenshtein'
import { code, list } from '../approvals/wording.ts'
import { isRefusal, refuse, type Refusal } from '../src/refusal.ts'
import { unfitCharacter, whichCharacter } from './characters.ts'
import { quoted, tokenize, unescapeSlack } from './tokens.ts'

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
    }
  | { readonly verb: 'cancel'; readonly id: number }
  | { readonly verb: 'history'; readonly target: string | null }
  | { readonly verb: 'show'; readonly id: number }
  | { readonly verb: 'approve'; readonly id: number; readonly digest: string | null }
  | { readonly verb: 'reject'; readonly id: number; readonly digest: string | null; readonly reason: string | null }

export type Verb = (typeof verbs)[number]

export const verbs = ['help', 'status', 'plan', 'deploy', 'cancel', 'history', 'show'] as const
/** Only on the command line, for the day Slack is down. */
export const votingVerbs = ['approve', 'reject'] as const
export const laterVerbs = ['rehearse', 'rollback', 'resolve', 'fix', 'retry', 'freeze', 'unfreeze', 'lock', 'unlock', 'export'] as const

export type Known = {
  /** Names of the configured targets. */
  readonly targets: readonly string[]
  /** As it is typed: `/migrate`, or `lockkeeper` on the command line, which also knows the voting verbs. */
  readonly command: string
}

/** What stands after the slash command, as Slack sent it. */
export function parseText(text: string, known: Known): Command | Refusal {
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
export function parseWords(words: readonly string[], known: Known): Command | Refusal {
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
const LONGEST_REASON = 500
const LONGEST_REF = 200

/** How each verb is typed. */
export const usage: Readonly<Record<AnyVerb, string>> = {
  help: 'help [verb]',
  status: 'status [target]',
  plan: 'plan <target> [--ref R]',
  deploy: 'deploy <target> [--ref R] [--reason "…"] [--skip-app]',
  cancel: 'cancel <id>',
  history: 'history [target]',
  show: 'show <id>',
  approve: 'approve <id> [--digest D]',
  reject: 'reject <id> --reason "…" [--digest D]',
}

/** One example of each verb, with a target that exists here. */
export function example(verb: AnyVerb, known: Known): string {
  const target = known.targets[0] ?? 'prod'
  const examples: Record<AnyVerb, string> = {
    help: 'help deploy',
    status: `status ${target}`,
    plan: `plan ${target} --ref main`,
    deploy: `deploy ${target} --reason "checkout needs the discount columns"`,
    cancel: 'cancel 42',
    history: `history ${target}`,
    show: 'show 42',
    approve: 'approve 42 --digest 7f3a9c21',
    reject: 'reject 42 --reason "not before Monday"',
  }
  return `${known.command} ${examples[verb]}`
}

type AnyVerb = Verb | (typeof votingVerbs)[number]

const knownVerbs = (known: Known): readonly AnyVerb[] => (known.command.startsWith('/') ? verbs : [...verbs, ...votingVerbs])

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

/** The nearest of the known names, if it is near enough to be meant. */
export function nearest(word: string, among: readonly string[]): string | undefined {
  const asked = word.toLowerCase().slice(0, 40)
  if (among.length === 0 || asked === '') return undefined
  const begins = among.filter((each) => asked.length >= 2 && each.startsWith(asked))
  if (begins.length === 1) return begins[0]
  const near = closest(asked, [...among])
  return distance(asked, near) <= Math.max(1, Math.floor(Math.min(near.length, asked.length) / 2)) ? near : undefined
}

type Read = {
  readonly positionals: readonly string[]
  readonly ref: string | null
  readonly reason: string | null
  readonly digest: string | null
  readonly skipApp: boolean
}

const options = {
  ref: { type: 'string' },
  reason: { type: 'string' },
  digest: { type: 'string' },
  'skip-app': { type: 'boolean' },
} as const

const optionsOf: Readonly<Record<AnyVerb, readonly (keyof typeof options)[]>> = {
  help: [],
  status: [],
  plan: ['ref'],
  deploy: ['ref', 'reason', 'skip-app'],
  cancel: [],
  history: [],
  show: [],
  approve: ['digest'],
  reject: ['digest', 'reason'],
}

/** Node splits options from the rest; what is allowed is judged here, to say it in the reader's words. */
function readArguments(verb: AnyVerb, words: readonly string[], known: Known): Read | Refusal {
  // telephones and word processors turn -- into a dash
  const args = words.map((word) => word.replace(/^[\u2013\u2014](?=[a-z])/, '--'))
  const { tokens } = parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true })
  const allowed = optionsOf[verb]
  const values = new Map<string, string>()
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional') {
      positionals.push(token.value)
      continue
    }
    const name = allowed.find((each) => each === token.name && token.rawName.startsWith('--'))
    if (name === undefined) return unknownOption(verb, token.rawName, allowed, known)
    if (values.has(name)) return refuse('bad_arguments', `${code(`--${name}`)} stands there twice. Nothing was started. Give it once.`)
    if (name === 'skip-app') {
      if (token.inlineValue)
        return refuse('bad_arguments', `${code('--skip-app')} takes no value. Nothing was started. ${howTo(verb, known)}`)
      values.set(name, '')
      continue
    }
    const value = token.value ?? ''
    if (value.trim() === '' || (!token.inlineValue && value.startsWith('-')))
      return refuse('bad_arguments', `${code(`--${name}`)} needs a value after it. Nothing was started. ${howTo(verb, known)}`)
    values.set(name, value.trim())
  }
  return {
    positionals,
    ref: values.get('ref') ?? null,
    reason: values.get('reason') ?? null,
    digest: values.get('digest') ?? null,
    skipApp: values.has('skip-app'),
  }
}

function unknownOption(verb: AnyVerb, typed: string, allowed: readonly string[], known: Known): Refusal {
  const near = nearest(typed.replace(/^-+/, ''), allowed)
  const meant = near === undefined ? '' : ` Did you mean ${code(`--${near}`)}?`
  const takes = allowed.length === 0 ? 'takes no options' : `takes ${list(allowed.map((each) => code(`--${each}`)))}`
  return refuse(
    'bad_arguments',
    `${code(typed, 40)} is no option of ${code(verb)}, which ${takes}.${meant} Nothing was started. ${howTo(verb, known)}`,
  )
}

function build(verb: AnyVerb, read: Read, known: Known): Command | Refusal {
  const [first, second] = read.positionals
  if (second !== undefined)
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
      return verb === 'plan' ? { verb, target, ref } : { verb, target, ref, reason, skipApp: read.skipApp }
    }
    case 'cancel':
    case 'show': {
      const id = checkId(first, verb, known)
      return isRefusal(id) ? id : { verb, id }
    }
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

/** A target is one of the configured names, letter for letter. */
export function checkTarget(typed: string | undefined, verb: AnyVerb, known: Known): string | Refusal {
  const names = list(known.targets.map((name) => code(name)))
  if (typed === undefined)
    return refuse(
      'bad_arguments',
      `${code(verb)} needs a target: ${list(
        known.targets.map((name) => code(name)),
        'or',
      )}. Nothing was started. ${howTo(verb, known)}`,
    )
  if (known.targets.includes(typed)) return typed
  const foreign = whichCharacter(typed)
  const near = nearest(foreign === undefined ? typed : looksLike(typed), known.targets)
  const why = foreign === undefined ? `There is no target ${code(typed, 40)}.` : `There is no target ${code(typed, 40)}: ${foreign}.`
  const meant =
    near === undefined ? ` The targets are ${names}.` : ` Did you mean ${code(near)}? ${code(`${known.command} ${verb} ${near}`)}`
  return refuse('unknown_target', `${why} Nothing was started.${meant}`)
}

/** The form only; whether it exists and may be deployed is the plan's question. */
export function checkRef(ref: string | null): string | null | Refusal {
  if (ref === null) return null
  const foreign = whichCharacter(ref)
  if (foreign !== undefined) return refuse('bad_arguments', `${code(ref, 60)} cannot be a ref here: ${foreign}. Nothing was started.`)
  const isFit = ref.length <= LONGEST_REF && /^[A-Za-z0-9][A-Za-z0-9._/+#-]*$/.test(ref) && !/\.\.|\/\/|\.lock$|[/.]$/.test(ref)
  return isFit
    ? ref
    : refuse(
        'bad_arguments',
        `${code(ref, 60)} cannot be a ref: write a branch, a tag or a commit, with letters, digits and ${code('. _ / + # -')}, at most ${LONGEST_REF} characters. Nothing was started.`,
      )
}

export function checkReason(reason: string | null): string | null | Refusal {
  if (reason === null || reason.length <= LONGEST_REASON) return reason
  return refuse(
    'bad_arguments',
    `The reason is ${reason.length.toLocaleString('en-US')} characters long, and at most ${LONGEST_REASON} fit on the card. Nothing was started.`,
  )
}

function checkId(typed: string | undefined, verb: AnyVerb, known: Known): number | Refusal {
  if (typed === undefined)
    return refuse('bad_arguments', `${code(verb)} needs the number of a request. Nothing was changed. ${howTo(verb, known)}`)
  const digits = /^#?([1-9]\d{0,14})$/.exec(typed)?.[1]
  return digits === undefined
    ? refuse('bad_arguments', `${code(typed, 40)} is not the number of a request. Nothing was changed. ${howTo(verb, known)}`)
    : Number(digits)
}

function checkDigest(digest: string | null): string | null | Refusal {
  if (digest === null || /^[0-9a-f]{8,64}$/.test(digest)) return digest
  return refuse('bad_arguments', `${code(digest, 40)} is not a digest: it has 8 to 64 of the characters 0-9 and a-f. Nothing was changed.`)
}

const howTo = (verb: AnyVerb, known: Known) => `For example: ${code(example(verb, known), 120)}.`

/** Cyrillic and Greek letters, and wide forms, by what they look like; only to guess what was meant. */
const looksLike = (word: string): string =>
  [...word.normalize('NFKC')].map((char) => LOOKALIKES[char.toLowerCase()] ?? char.toLowerCase()).join('')

const LOOKALIKES: Readonly<Record<string, string>> = {
  а: 'a',
  в: 'b',
  с: 'c',
  ԁ: 'd',
  е: 'e',
  һ: 'h',
  і: 'i',
  ј: 'j',
  к: 'k',
  ӏ: 'l',
  м: 'm',
  п: 'n',
  о: 'o',
  р: 'p',
  ԛ: 'q',
  г: 'r',
  ѕ: 's',
  т: 't',
  и: 'u',
  ѵ: 'v',
  ԝ: 'w',
  х: 'x',
  у: 'y',
  α: 'a',
  ο: 'o',
  ρ: 'p',
  ν: 'v',
  τ: 't',
  ι: 'i',
  κ: 'k',
  υ: 'u',
  ε: 'e',
  η: 'n',
  ɡ: 'g',
  ı: 'i',
}
