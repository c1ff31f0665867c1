import { closest, distance } from 'fastest-levenshtein'
import { code, list } from '../../approvals/wording.ts'
import { whyNoRefName } from '../../src/lib/git.ts'
import { refuse, type Refusal } from '../../src/lib/refusal.ts'
import { unfitCharacter, whichCharacter } from './unicode.ts'
import { howTo, type AnyVerb, type Known } from './usage.ts'

/** The parts of a command, each checked for its form. */

const LONGEST_REASON = 500

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
  const mixed = ref.match(/\p{L}+/gu)?.find((word) => /[a-z]/i.test(word) && /[\p{Script=Cyrillic}\p{Script=Greek}]/u.test(word))
  if (mixed !== undefined)
    return refuse('bad_arguments', `${code(ref, 60)} cannot be a ref here: ${whichCharacter(mixed) ?? ''}. Nothing was started.`)
  const why = whyNoRefName(ref)
  if (why === null) return ref
  return refuse('bad_arguments', `${code(ref, 60)} cannot be a ref: ${why}. Write a branch, a tag or a commit. Nothing was started.`)
}

export function checkReason(reason: string | null): string | null | Refusal {
  const unfit = reason === null ? undefined : unfitCharacter(reason)
  if (unfit !== undefined)
    return refuse('bad_arguments', `The reason contains ${unfit}, and it is a line of visible text. Nothing was started. Type it again.`)
  if (reason === null || reason.length <= LONGEST_REASON) return reason
  return refuse(
    'bad_arguments',
    `The reason is ${reason.length.toLocaleString('en-US')} characters long, and at most ${LONGEST_REASON} fit on the card. Nothing was started.`,
  )
}

export function checkId(typed: string | undefined, verb: AnyVerb, known: Known): number | Refusal {
  if (typed === undefined)
    return refuse('bad_arguments', `${code(verb)} needs the number of a request. Nothing was changed. ${howTo(verb, known)}`)
  const digits = /^#?([1-9]\d{0,14})$/.exec(typed)?.[1]
  return digits === undefined
    ? refuse('bad_arguments', `${code(typed, 40)} is not the number of a request. Nothing was changed. ${howTo(verb, known)}`)
    : Number(digits)
}

export function checkDigest(digest: string | null): string | null | Refusal {
  if (digest === null || /^[0-9a-f]{8,64}$/.test(digest)) return digest
  return refuse('bad_arguments', `${code(digest, 40)} is not a digest: it has 8 to 64 of the characters 0-9 and a-f. Nothing was changed.`)
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

/** Cyrillic and Greek letters, and wide forms, by what they look like; only to guess what was meant. */
export const looksLike = (word: string): string =>
  word
    .normalize('NFKC')
    .toLowerCase()
    .replace(/./gu, (char) => LOOKALIKES[char] ?? char)

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

/** With the target first that was named: an example that somebody copies is about that one. */
export function namedFirst<Known extends { readonly targets: readonly string[] }>(known: Known, words: readonly string[]): Known {
  const named = known.targets.find((target) => words.includes(target))
  return named === undefined ? known : { ...known, targets: [named, ...known.targets.filter((target) => target !== named)] }
}
