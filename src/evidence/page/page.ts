import { createHash } from 'node:crypto'
import { secondsText } from '../../lib/text/units.ts'
import { count, list } from '../../lib/text/sentences.ts'
import type { EvidenceDocument } from '../document/document.ts'
import { html, trusted, type Html } from './html.ts'
import { decisionSection, planSection, requestSection, sqlSection } from './decision.ts'
import { nameIn, pairs, section, sectionNames, time, type View } from './parts.ts'
import { auditSection, backupSection, checksSection, healthSection, outputSection, runSection, timelineSection } from './run.ts'
import { pageStyle } from './style.ts'

/** Where the envelope stands in a page. Text of others cannot contain this, since its brackets are escaped. */
export const ENVELOPE_OPENS = '<pre id="envelope">'
export const ENVELOPE_CLOSES = '</pre><!-- end of the envelope -->'

/**
 * The evidence as one page: no script, nothing loaded, every text of others escaped. It carries the signed envelope itself, so that the
 * page alone is enough to verify. `sha256` is that of the signed document.
 */
export function renderPage(document: EvidenceDocument, signed: { readonly envelope: string; readonly sha256: string }): string {
  const view = { document, who: nameIn(document) }
  const styleHash = createHash('sha256').update(pageStyle).digest('base64')
  const body = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'sha256-${trusted(styleHash)}'; base-uri 'none'; form-action 'none'"
        />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>Evidence of request #${document.request.id}, ${document.request.title}</title>
        ${trusted(`<style>${pageStyle}</style>`)}
      </head>
      <body>
        <main>
          ${top(view)} ${sections(view)} ${signature(view, signed)}
          <footer>
            Made by Lockkeeper ${document.tools.lockkeeper} on ${time(document.exported.at)} for ${view.who(document.exported.by.account)}.
            All times are UTC. Secrets that Lockkeeper knows stand as [redacted].
          </footer>
        </main>
      </body>
    </html> `
  return body.text
}

const states: Readonly<Record<EvidenceDocument['request']['state'], { readonly word: string; readonly tone: 'good' | 'bad' | 'wait' }>> = {
  planning: { word: 'Being planned', tone: 'wait' },
  waiting: { word: 'Waiting for approval', tone: 'wait' },
  granted: { word: 'Approved, not started', tone: 'wait' },
  running: { word: 'Running', tone: 'wait' },
  needs_human: { word: 'Needs a person', tone: 'bad' },
  succeeded: { word: 'Succeeded', tone: 'good' },
  failed: { word: 'Failed', tone: 'bad' },
  cancelled: { word: 'Cancelled', tone: 'wait' },
  rejected: { word: 'Rejected', tone: 'bad' },
  expired: { word: 'Expired', tone: 'wait' },
  refused: { word: 'Refused', tone: 'bad' },
}

function top({ document, who }: View): Html {
  const { request, outcome, plan, backups } = document
  const state = states[request.state]
  const approvals = document.votes.filter(({ counts, decision }) => counts && decision === 'approve')
  const rejections = document.votes.filter(({ counts, decision }) => counts && decision === 'reject')
  const backup = backups.at(-1)
  return html`<header>
    <div class="kind">Evidence of a database migration and deploy</div>
    <h1>Request #${request.id}: deploy to ${request.title}</h1>
    <div><span class="state ${state.tone}">${state.word}</span></div>
    ${outcome !== null && html`<p class="lead">${outcome.headline}</p>`}
    ${
      !document.exported.isFinal &&
      html`<p class="note">
        <strong>Not final.</strong> ${request.endedAt === null ? 'The request had not ended' : 'The break-glass had not been reviewed'} when
        this was made, ${time(document.exported.at)}. A later bundle says more.
      </p>`
    }
    ${
      document.breakGlass?.brokenBy != null &&
      html`<p class="note bad">
        <strong>Break-glass.</strong> It ran without the approvals that are required, let through by ${who(document.breakGlass.brokenBy)}.
      </p>`
    }
    <dl class="facts">
      <div>
        <dt>Asked by</dt>
        <dd>${who(request.askedBy.account)}<span class="soft">${time(request.askedAt)}</span></dd>
      </div>
      <div>
        <dt>${rejections.length > 0 ? 'Rejected by' : 'Approved by'}</dt>
        <dd>
          ${
            rejections.length > 0
              ? list(rejections.map(({ by }) => who(by.account)))
              : approvals.length === 0
                ? 'nobody'
                : list(approvals.map(({ by }) => who(by.account)))
          }<span class="soft"
            >${
              document.policy === null ? 'no plan was made' : `${approvals.length} of ${document.policy.required} required`
            }${(rejections.at(-1) ?? approvals.at(-1)) !== undefined && html`, ${time((rejections.at(-1) ?? approvals.at(-1))?.at ?? null)}`}</span
          >
        </dd>
      </div>
      <div>
        <dt>Ran</dt>
        <dd>${request.startedAt === null ? 'not started' : time(request.startedAt)}<span class="soft">${ranFor(document)}</span></dd>
      </div>
      <div>
        <dt>Backup</dt>
        <dd>
          ${backup === undefined ? 'none' : backup.verification.isVerified ? 'verified, read in full' : backup.state}<span class="soft"
            >${backup === undefined ? 'no backup was made for this request' : backup.name}</span
          >
        </dd>
      </div>
      <div>
        <dt>What</dt>
        <dd>
          ${plan === null ? 'no plan' : plan.content.list.length === 0 ? 'no migration' : count(plan.content.list.length, 'migration')}<span
            class="soft"
            >${plan === null ? '' : `commit ${plan.content.commit.slice(0, 10)} from ${plan.content.ref}`}</span
          >
        </dd>
      </div>
      <div>
        <dt>Plan</dt>
        <dd>
          <code>${plan === null ? 'none' : plan.digest.slice(0, 16)}</code
          ><span class="soft"
            >${
              plan === null ? '' : plan.isDigestOfContent ? 'its digest fits its content' : 'its digest does not fit the content below'
            }</span
          >
        </dd>
      </div>
    </dl>
    <nav>${sectionNames.map(([id, title]) => html`<a href="#${id}">${title}</a> `)}</nav>
  </header>`
}

function ranFor({ request, exported }: EvidenceDocument): string {
  if (request.startedAt === null) return ''
  const end = request.endedAt ?? exported.at
  const seconds = (Date.parse(end) - Date.parse(request.startedAt)) / 1000
  return `${secondsText(seconds)}${request.endedAt === null ? ' so far' : ''}`
}

const sections = (view: View): readonly Html[] => [
  requestSection(view),
  decisionSection(view),
  sqlSection(view),
  checksSection(view),
  runSection(view),
  backupSection(view),
  healthSection(view),
  outputSection(view),
  timelineSection(view),
  auditSection(view),
  planSection(view),
]

const signature = ({ document }: View, { envelope, sha256 }: { readonly envelope: string; readonly sha256: string }): Html =>
  section('signature', [
    html`<p>Everything above is drawn from one document, which is signed with Ed25519. The envelope below holds its exact bytes.</p>`,
    pairs([
      ['SHA-256 of the document', html`<code>${sha256}</code>`],
      ['Key', html`<code>${document.signer.keyId}</code>`],
      [
        'To verify',
        html`<code>lockkeeper evidence verify</code> with this file, or the few lines of docs/evidence.md. Compare the key with the one that
          the operator names (<code>lockkeeper evidence key</code>).`,
      ],
    ]),
    html`<pre>${document.signer.publicKey}</pre>
      <details class="screen">
        <summary>The signed envelope (DSSE)</summary>
        ${trusted(`${ENVELOPE_OPENS}${envelope}${ENVELOPE_CLOSES}`)}
      </details>`,
  ])
