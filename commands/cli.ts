import { asPlainText, code, when } from '../approvals/wording.ts'
import { breakGlass } from '../approvals/break-glass/decision.ts'
import { castVote } from '../approvals/decisions/vote.ts'
import { isRefusal, refuse, type Refusal } from '../src/lib/refusal.ts'
import type { RequestRow } from '../src/request/request.ts'
import { requestById } from '../src/request/store.ts'
import { dispatch } from './dispatch.ts'
import { dispatchWindow } from './windows/dispatch.ts'
import { knownHere, type WindowDeps } from './windows/deps.ts'
import { parseWindowWords } from './parse/window.ts'
import { parseWords, type Command } from './parse/command.ts'
import type { Reply, VerbDeps } from './verbs/reply.ts'
import { help } from './verbs/help.ts'
import { migrations } from './verbs/show.ts'

export type CliDeps = VerbDeps & {
  readonly windows: WindowDeps
  /** Who is at the machine, as the operating system says and not as a variable claims. */
  readonly login: string
  readonly print: (line: string) => void
  readonly complain: (line: string) => void
}

export const exitCodes = { done: 0, refused: 1, mistyped: 2 } as const

/** One verb on the command line, through the same policy; prints what Slack would show. `words` is without the program's name. */
export async function runCli(words: readonly string[], deps: CliDeps): Promise<number> {
  const reply = await (words[0] === 'maintenance' ? maintenance(deps, words.slice(1)) : migrate(deps, words))
  if (!isRefusal(reply)) {
    deps.print(asPlainText(reply.kind === 'form' ? '' : reply.text))
    return exitCodes.done
  }
  deps.complain(asPlainText(reply.text))
  return isMistyped(reply) ? exitCodes.mistyped : exitCodes.refused
}

/** What the command line calls itself in sentences. */
export const CLI_COMMAND = 'lockkeeper'
export const CLI_MAINTENANCE = 'lockkeeper maintenance'

async function migrate(deps: CliDeps, words: readonly string[]): Promise<Reply> {
  const parsed = parseWords(words, deps.known)
  return isRefusal(parsed) ? parsed : replyTo(deps, parsed)
}

async function maintenance({ windows, login }: CliDeps, words: readonly string[]): Promise<Reply> {
  const parsed = parseWindowWords(words, knownHere(windows))
  return isRefusal(parsed) ? parsed : dispatchWindow(windows, parsed, { account: `os:${login}`, entry: 'cli', origin: null })
}

function replyTo(deps: CliDeps, command: Command): Promise<Reply> | Reply {
  const account = `os:${deps.login}`
  switch (command.verb) {
    case 'modal': // there is no form here
      return help(deps.known, null)
    case 'break-glass':
    case 'approve':
    case 'reject':
      return vote(deps, command, account)
    default:
      return dispatch(deps, command, { account, entry: 'cli', origin: null })
  }
}

/** Without a digest it shows what is to be decided, as the confirmation in Slack does; with it, it votes for exactly that. */
async function vote(
  deps: CliDeps,
  command: Extract<Command, { verb: 'approve' | 'reject' | 'break-glass' }>,
  account: string,
): Promise<Reply> {
  const request = await requestById(deps.db, command.id)
  if (request === undefined)
    return refuse('unknown_request', `There is no request #${command.id}. ${code(`${deps.command} history`)} lists those there are.`)
  const digest = request.digest
  if (command.digest === null || digest === null) {
    const shown = await dispatch(deps, { verb: 'show', id: command.id }, { account, entry: 'cli', origin: null })
    if (isRefusal(shown) || shown.kind === 'form' || digest === null) return shown
    return refuse(
      'bad_arguments',
      `${shown.text}\n\nNothing was decided yet. ${expiry(request.expiresAt)}To decide about exactly this: ${code(`${deps.command} ${command.verb} ${command.id} --digest ${digest.slice(0, 8)}${needsReason(command, request) ? ' --reason "…"' : ''}`, 120)}`,
    )
  }
  // the person typed the beginning; anything that does not continue it is another plan
  const ballot = {
    token: request.token,
    account,
    entry: 'cli',
    digest: digest.startsWith(command.digest) ? digest : command.digest,
  } as const
  const outcome =
    command.verb === 'break-glass'
      ? await breakGlass(deps, { ...ballot, reason: command.reason })
      : await castVote(deps, {
          ...ballot,
          decision: command.verb,
          ...(command.verb === 'reject' && command.reason !== null ? { reason: command.reason } : {}),
        })
  return isRefusal(outcome)
    ? outcome
    : { kind: 'said', text: `${outcome.text}\n${migrations((request.plan?.list ?? []).map(({ name }) => name))}` }
}

/** A request that was asked with break-glass has its reason. */
const needsReason = (command: Command, request: RequestRow): boolean =>
  command.verb === 'reject' || (command.verb === 'break-glass' && request.breakGlass === null)

const expiry = (expiresAt: Date | null) => (expiresAt === null ? '' : `The request expires ${when(expiresAt)}. `)

const isMistyped = (refusal: Refusal) => ['unknown_verb', 'bad_arguments', 'unknown_target', 'not_available_yet'].includes(refusal.code)
