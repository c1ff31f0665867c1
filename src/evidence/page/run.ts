import { stripVTControlCharacters } from 'node:util'
import { secondsText, sizeText } from '../../lib/text/units.ts'
import { count, list } from '../../lib/text/sentences.ts'
import type { EvidenceDocument, OutputPart, TimelineEntry } from '../document/document.ts'
import { html, type Html } from './html.ts'
import { pairs, section, stepTones, table, time, type View } from './parts.ts'

/** The sections about what happened: checks, steps, backup, health, output, timeline, audit log. */

export function checksSection({ document }: View): Html {
  const { checks } = document
  if (checks === null) return section('checks', html`<p>The checks before the run had not ended.</p>`)
  return section('checks', [
    html`<p>${count(checks.count, 'check')} before anything was touched${checks.names.length > 0 && `: ${list(checks.names)}`}.</p>`,
    checks.findings.length === 0
      ? html`<p>They found nothing to report.</p>`
      : table(
          ['Level', 'Finding', 'What it says'],
          checks.findings.map(({ level, code, text }) => [level, html`<code>${code}</code>`, text]),
        ),
  ])
}

export function runSection({ document }: View): Html {
  if (document.steps.length === 0) return section('run', html`<p>Nothing was run.</p>`)
  return section(
    'run',
    table(
      ['Step', 'State', 'Began', 'Took', 'Tries', 'Result'],
      document.steps.map((step) => [
        step.title,
        html`<span class="${stepTones[step.state]}">${step.state}</span>`,
        time(step.startedAt),
        step.seconds === null ? '' : secondsText(step.seconds),
        step.attempts === 0 ? '' : String(step.attempts),
        [step.output ?? '', step.details ?? ''].filter((part) => part !== '').join(', '),
      ]),
    ),
  )
}

export function backupSection({ document }: View): Html {
  if (document.backups.length === 0) return section('backup', html`<p>No backup was made for this request.</p>`)
  return section(
    'backup',
    document.backups.map(
      (backup) =>
        html`<h3><code>${backup.name}</code></h3>
          ${pairs([
            [
              'Verified',
              backup.verification.isVerified
                ? html`<strong class="good">yes</strong>,
                    ${time(backup.verification.at)}${backup.verification.found !== null && `: ${backup.verification.found}`}`
                : html`<strong class="bad">no</strong>${backup.verification.found !== null && `: ${backup.verification.found}`}`,
            ],
            ['State now', backup.state],
            ['Taken', html`${time(backup.takenAt)}${backup.seconds !== null && `, in ${secondsText(backup.seconds)}`}`],
            [
              'Size',
              `${backup.databaseBytes === null ? '' : `database ${sizeText(backup.databaseBytes)}, `}${backup.bytes === null ? '' : `files ${sizeText(backup.bytes)} (${count(backup.bytes, 'byte')})`}${backup.files === null ? '' : ` in ${count(backup.files, 'file')}`}`,
            ],
            ['Records of migrations', backup.migrationRecords === null ? 'no table of migrations yet' : String(backup.migrationRecords)],
            ['Where', html`<code>${backup.path}</code>`],
            ['Manifest', backup.manifestSha256 === null ? backup.manifestMissing : html`SHA-256 <code>${backup.manifestSha256}</code>`],
          ])}`,
    ),
  )
}

export function healthSection({ document }: View): Html {
  const { health } = document
  if (health === null) return section('health', html`<p>No health check belongs to this run, or it had not been reached.</p>`)
  return section('health', [
    html`<p><span class="${stepTones[health.state]}">${health.state}</span>${health.output !== null && `: ${health.output}`}</p>`,
    health.answers.length === 0
      ? html``
      : table(
          ['Address', 'Answer'],
          health.answers.map(({ url, said }) => [html`<code>${url}</code>`, said]),
        ),
  ])
}

export const outputSection = ({ document }: View): Html => section('output', outputText(document.output))

function outputText(output: OutputPart): Html {
  if (output.kind === 'missing') return html`<p>${output.why}</p>`
  const shown = (text: string) => html`<pre>${stripVTControlCharacters(text).replace(/\r(?!\n)/g, '\n')}</pre>`
  return html`<p>
      ${sizeText(output.bytes)} (${count(output.bytes, 'byte')}), SHA-256 <code>${output.sha256}</code> of the whole, redacted.
    </p>
    ${output.cut > 0 && html`<p class="note">${count(output.cut, 'character')} in the middle ${output.cut === 1 ? 'is' : 'are'} left out here. The whole stands in output.log of this run for 90 days.</p>`}
    <details>
      <summary>${output.cut > 0 ? 'How it began' : 'Show the output'}</summary>
      ${shown(output.head)}
    </details>
    ${
      output.cut > 0 &&
      html`<details>
        <summary>How it ended</summary>
        ${shown(output.tail)}
      </details>`
    }`
}

export function timelineSection({ document }: View): Html {
  const { entries, cut } = document.timeline
  const happened = entries.filter(({ source }) => source !== 'audit')
  return section('timeline', [
    happened.length === 0
      ? html`<p>Nothing has happened yet.</p>`
      : table(
          ['Time', 'What happened'],
          happened.map((entry) => [time(entry.at), named(document, entry.what)]),
        ),
    cut > 0
      ? html`<p class="note">${count(cut, 'later entry', 'later entries')} of the timeline and the audit log are left out.</p>`
      : html``,
  ])
}

/** Accounts inside a sentence, with the names that Slack gave. */
function named({ people }: EvidenceDocument, text: string): string {
  const names = new Map(people.flatMap(({ account, name }) => (name === null || name === '' ? [] : [[account, name] as const])))
  return text.replace(/\b[UW][A-Z0-9]{2,}\b/g, (account) => {
    const name = names.get(account)
    return name === undefined ? account : `${name} (${account})`
  })
}

export function auditSection({ document, who }: View): Html {
  const rows = document.timeline.entries.filter(({ source }) => source === 'audit')
  const isChained = rows.some(({ chain }) => chain !== null)
  return section('audit', [
    html`<p>
      ${
        isChained
          ? 'Each row names its place in the hash chain of the store: its number, the hash of the row before it and its own.'
          : 'This store keeps no hash chain of its audit log for these rows.'
      }
    </p>`,
    rows.length === 0
      ? html`<p>No row names this request.</p>`
      : table(
          ['Time', 'Row', 'What', ...(isChained ? ['Hash'] : [])],
          rows.map((entry) => [
            time(entry.at),
            String(entry.chain?.seq ?? entry.id),
            html`${named(
              document,
              entry.what.replace(/^Audit: (\S+)/, (_, actor: string) => (actor.startsWith('os:') ? who(actor) : actor)),
            )}`,
            ...(isChained ? [chainText(entry)] : []),
          ]),
        ),
  ])
}

const chainText = ({ chain }: TimelineEntry): Html =>
  chain === null ? html`` : html`<code>${chain.hash}</code><br /><span class="soft small">after <code>${chain.prev}</code></span>`
