import { modal, section, textInput, context } from '../src/slack/blocks.ts'
import type { View } from '../src/slack/port.ts'
import type { RequestRow, RequestView } from '../src/run/record.ts'
import { code, mention, shown } from './wording.ts'

/** What is being decided: commit, migrations, classes, digest. */
export const confirmApproveView = (request: RequestRow, view: RequestView): View =>
  modal({
    callback: 'approve_request',
    title: `Approve #${request.id}`,
    submit: 'Approve',
    metadata: metadataOf(request),
    blocks: whatIsDecided(request, view),
  })

export const confirmRejectView = (request: RequestRow, view: RequestView): View =>
  modal({
    callback: 'reject_request',
    title: `Reject #${request.id}`,
    submit: 'Reject',
    metadata: metadataOf(request),
    blocks: [...whatIsDecided(request, view), textInput({ id: 'reason', label: 'Reason', multiline: true, maximum: 500 })],
  })

const metadataOf = (request: RequestRow) => JSON.stringify({ token: request.token, digest: request.digest })

function whatIsDecided(request: RequestRow, view: RequestView) {
  const plan = request.plan
  const lines = (plan?.list ?? []).map((migration) => {
    const evidence = request.evidence?.migrations.find(({ name }) => name === migration.name)
    return `• ${code(migration.name)}${evidence === undefined ? '' : ` ${evidence.class}: ${shown(evidence.summary)}`}`
  })
  return [
    section(
      [
        `${mention(request.requester)} asks to deploy ${code((plan?.commit ?? '').slice(0, 7))} to *${shown(view.targetTitle)}*.`,
        ...lines,
      ].join('\n'),
    ),
    context(`Plan ${code((request.digest ?? '').slice(0, 8))}`),
  ]
}
