import { parseArgs } from 'node:util'
import { code, list } from '../../approvals/wording.ts'
import { refuse, type Refusal } from '../../src/lib/refusal.ts'
import { nearest } from './arguments.ts'
import { howTo, usage, type AnyVerb, type Known } from './usage.ts'

export type Read = {
  readonly positionals: readonly string[]
  readonly ref: string | null
  readonly reason: string | null
  readonly digest: string | null
  readonly out: string | null
  readonly skipApp: boolean
  readonly breakGlass: boolean
  readonly at: string | null
  readonly inWindow: string | null
  readonly override: string | null
}

const options = {
  ref: { type: 'string' },
  reason: { type: 'string' },
  digest: { type: 'string' },
  out: { type: 'string' },
  'skip-app': { type: 'boolean' },
  'break-glass': { type: 'boolean' },
  at: { type: 'string' },
  'in-window': { type: 'string' },
  override: { type: 'string' },
} as const

const optionsOf: Readonly<Record<AnyVerb, readonly (keyof typeof options)[]>> = {
  help: [],
  status: [],
  plan: ['ref'],
  deploy: ['ref', 'reason', 'at', 'in-window', 'skip-app', 'break-glass', 'override'],
  'break-glass': ['digest', 'reason'],
  cancel: [],
  history: [],
  show: [],
  export: ['out'],
  ack: [],
  freeze: ['reason'],
  unfreeze: [],
  lock: ['reason'],
  unlock: [],
  approve: ['digest'],
  reject: ['digest', 'reason'],
}

/** Node splits options from the rest; what is allowed is judged here, to say it in the reader's words. */
export function readArguments(verb: AnyVerb, words: readonly string[], known: Known): Read | Refusal {
  // telephones and word processors turn -- into a dash
  const args = words.map((word) => word.replace(/^[\u2013\u2014](?=[a-z])/, '--'))
  const { tokens } = parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true })
  const allowed = optionsOf[verb].filter((name) => name !== 'out' || !known.command.startsWith('/'))
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
    if (options[name].type === 'boolean') {
      if (token.inlineValue)
        return refuse('bad_arguments', `${code(`--${name}`)} takes no value. Nothing was started. ${howTo(verb, known)}`)
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
    out: values.get('out') ?? null,
    skipApp: values.has('skip-app'),
    breakGlass: values.has('break-glass'),
    at: values.get('at') ?? null,
    inWindow: values.get('in-window') ?? null,
    override: values.get('override') ?? null,
  }
}

function unknownOption(verb: AnyVerb, typed: string, allowed: readonly string[], known: Known): Refusal {
  if (/^-\d/.test(typed) && usage[verb].includes('<id>'))
    return refuse('bad_arguments', `${code(typed, 40)} is not the number of a request. Nothing was changed. ${howTo(verb, known)}`)
  const near = nearest(typed.replace(/^-+/, ''), allowed)
  const meant = near === undefined ? '' : ` Did you mean ${code(`--${near}`)}?`
  const takes = allowed.length === 0 ? 'takes no options' : `takes ${list(allowed.map((each) => code(`--${each}`)))}`
  return refuse(
    'bad_arguments',
    `${code(typed, 40)} is no option of ${code(verb)}, which ${takes}.${meant} Nothing was started. ${howTo(verb, known)}`,
  )
}
