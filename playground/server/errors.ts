import { sentence, type Problem } from './blocks/check.ts'

/** Slack's way to say no: HTTP 200 with `ok: false`. Thrown by methods, caught by the Web API's one answer. */
export class SlackRefusal extends Error {
  readonly code: string
  readonly extra: Readonly<Record<string, unknown>>
  readonly messages: readonly string[]

  constructor(code: string, options: { readonly extra?: Readonly<Record<string, unknown>>; readonly messages?: readonly string[] } = {}) {
    super(code)
    this.name = 'SlackRefusal'
    this.code = code
    this.extra = options.extra ?? {}
    this.messages = options.messages ?? []
  }
}

export const refuse = (code: string, messages: readonly string[] = []): never => {
  throw new SlackRefusal(code, { messages })
}

export function refuseProblems(code: string, problems: readonly Problem[]): void {
  if (problems.length > 0)
    throw new SlackRefusal(code, {
      messages: problems.map(sentence),
      extra: { errors: problems.map((p) => `${p.message} [json-pointer:${p.at}]`) },
    })
}
