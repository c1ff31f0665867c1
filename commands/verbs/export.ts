import { code, shown } from '../../approvals/wording.ts'
import type { Bundle } from '../../src/evidence/bundle.ts'
import { shareInSlack, writeBundle, type Shared } from '../../src/evidence/share.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import type { RequestRow } from '../../src/request/request.ts'
import { requestById } from '../../src/request/store.ts'
import { StartFault } from '../../src/lib/start-fault.ts'
import type { Command } from '../parse/command.ts'
import { say, type Reply, type VerbDeps } from './reply.ts'
import { notInDirect, whyNotHere, type Asker } from '../parse/channel-scope.ts'

type Wanted = Extract<Command, { verb: 'export' }>

/** The evidence of one request, in any state: to the thread of its card in Slack, to files on the command line. */
export async function exportRequest(deps: VerbDeps, command: Wanted, asker: Asker): Promise<Reply> {
  const request = await exportable(deps, command, asker)
  if (isRefusal(request)) return request
  const bundle = await made(deps, request, asker)
  if (isRefusal(bundle)) return bundle
  return asker.origin === null ? written(bundle, command.out ?? '.') : shared(deps, bundle, asker.account)
}

/** As for `show`: whoever may see the request where he asks. */
async function exportable(deps: VerbDeps, command: Wanted, asker: Asker): Promise<RequestRow | Refusal> {
  if (asker.origin?.isDirect === true) return notInDirect
  const request = await requestById(deps.db, command.id)
  if (request === undefined)
    return refuse('unknown_request', `There is no request #${command.id}. ${code(`${deps.command} history`)} lists those there are.`)
  const target = deps.targets.get(request.target)
  return (target === undefined ? undefined : whyNotHere(target, asker)) ?? request
}

async function made(deps: VerbDeps, request: RequestRow, asker: Asker): Promise<Bundle | Refusal> {
  try {
    const bundle = await deps.exportEvidence(request.id, { account: asker.account, human: deps.people.humanOf(asker.account) }, asker.entry)
    return bundle ?? refuse('unknown_request', `There is no request #${request.id} any more.`)
  } catch (error) {
    if (!(error instanceof StartFault)) throw error
    deps.onFault(error)
    return refuse('not_delivered', shown(error.message))
  }
}

const hashes = (bundle: Bundle) => `SHA-256 of the document ${code(bundle.sha256)}, signed with the key ${code(bundle.keyId, 90)}.`

const notFinal = (bundle: Bundle) => (bundle.whyNotFinal === null ? '' : ` It is not final: ${bundle.whyNotFinal}.`)

async function written(bundle: Bundle, directory: string): Promise<Reply> {
  try {
    const [page, json] = await writeBundle(directory, bundle)
    return say(
      [
        `The evidence of #${bundle.requestId} is written.${notFinal(bundle)}`,
        `${shown(page)} is the page to read.`,
        `${shown(json)} is the signed document.`,
        hashes(bundle),
      ].join('\n'),
    )
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return refuse(
      'not_delivered',
      `The evidence of #${bundle.requestId} could not be written to ${code(directory)}: ${shown(why)}. Choose another directory with ${code('--out DIR')}.`,
    )
  }
}

async function shared(deps: VerbDeps, bundle: Bundle, by: string): Promise<Reply> {
  const outcome = await shareInSlack(deps, bundle, by)
  return outcome.kind === 'thread' || outcome.kind === 'direct'
    ? say(
        `The evidence of #${bundle.requestId} is ${whereText(outcome)}: a page to read and the signed document.${notFinal(bundle)} ${hashes(bundle)}`,
      )
    : refuse('not_delivered', whyNot(outcome, bundle.requestId))
}

function whereText(outcome: Extract<Shared, { kind: 'thread' | 'direct' }>): string {
  if (outcome.kind === 'direct') return 'in your direct messages with Lockkeeper, since it cannot write beside the card'
  return outcome.link === null ? 'in the thread of its card' : `in <${outcome.link}|the thread of its card>`
}

function whyNot(outcome: Exclude<Shared, { kind: 'thread' | 'direct' }>, id: number): string {
  const instead = `On the machine of Lockkeeper, ${code(`lockkeeper export ${id}`)} writes the files.`
  switch (outcome.kind) {
    case 'no_files':
      return `Slack lets Lockkeeper upload no files here (the scope ${code('files:write')} is missing), so the evidence of #${id} was not posted. ${instead}`
    case 'unsure':
      return `Slack did not say whether the evidence of #${id} arrived. Look into the thread of its card; if it is not there, ask again. ${instead}`
    case 'limited':
      return `Slack asks Lockkeeper to wait ${outcome.seconds} s before it posts more, so the evidence of #${id} was not posted. Ask again then. ${instead}`
    case 'refused':
      return `Slack does not take the evidence of #${id} (${code(outcome.error)}), so it was not posted. ${instead}`
  }
}
