import { html, type Html } from './html.ts'
import type { EvidenceDocument, StepPart } from '../document/document.ts'
import { utc } from '../document/plain.ts'

/** What all sections of the page are built from. */

export type View = { readonly document: EvidenceDocument; readonly who: (account: string) => string }

/** `Bob Reyes (U0BOB)`, or the account alone where Slack gave no name. */
export function nameIn(document: EvidenceDocument): View['who'] {
  const names = new Map(document.people.map(({ account, name }) => [account, name]))
  return (account) => {
    const name = names.get(account) ?? null
    return name === null || name === '' ? account : `${name} (${account})`
  }
}

export const sectionNames = [
  ['request', 'Request'],
  ['decision', 'Decision'],
  ['sql', 'SQL'],
  ['checks', 'Checks'],
  ['run', 'Run'],
  ['backup', 'Backup'],
  ['health', 'Health'],
  ['output', 'Output'],
  ['timeline', 'Timeline'],
  ['audit', 'Audit log'],
  ['plan', 'Plan'],
  ['signature', 'Signature'],
] as const

export const section = (id: (typeof sectionNames)[number][0], content: Html | readonly Html[]): Html =>
  html`<section id="${id}">
    <h2>${sectionNames.find(([name]) => name === id)?.[1] ?? id}</h2>
    ${content}
  </section> `

export const pairs = (rows: readonly (readonly [string, Html | string | null])[]): Html =>
  html`<dl class="pairs">
    ${rows.map(
      ([name, value]) =>
        value !== null &&
        value !== '' &&
        html`<dt>${name}</dt>
          <dd>${value}</dd>`,
    )}
  </dl>`

export function table(heads: readonly string[], rows: readonly (readonly (Html | string)[])[]): Html {
  return html`<table>
    <thead>
      <tr>
        ${heads.map((head) => html`<th class="${head === 'Time' ? 'time' : ''}">${head}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (cells) =>
          html`<tr>
            ${cells.map((cell, index) => html`<td data-label="${heads[index] ?? ''}">${cell}</td>`)}
          </tr> `,
      )}
    </tbody>
  </table>`
}

export const time = (iso: string | null): Html =>
  iso === null ? html`` : html`<time class="time" datetime="${iso}">${utc(new Date(iso))}</time>`

/** Colour of a step's state. */
export const stepTones: Readonly<Record<StepPart['state'], string>> = {
  pending: 'soft',
  running: 'wait',
  done: 'good',
  skipped: 'soft',
  failed: 'bad',
  cancelled: 'wait',
  unknown: 'bad',
}
