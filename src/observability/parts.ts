import { brokenText, restoredText, type AuditHealth } from '../audit/health.ts'
import type { Queries } from '../store/pool.ts'
import type { Liveness } from '../engine/liveness.ts'
import { oneAtATime } from './one-at-a-time.ts'
import type { Look } from './readiness.ts'

export type SlackConnection =
  { readonly mode: 'socket'; readonly connections: number } | { readonly mode: 'http'; readonly isListening: boolean }

/** What `/readyz` looks at. */
export const lookAtStore = (db: Queries): Look =>
  oneAtATime(() =>
    db.query('select 1').then(
      () => ({ ok: true, text: 'The store answers.' }),
      (error: Error) => ({ ok: false, text: `The store does not answer: ${error.message}.` }),
    ),
  )

export const lookAtLiveness =
  (liveness: Pick<Liveness, 'isHeld'>): Look =>
  () =>
    liveness.isHeld()
      ? { ok: true, text: 'The lock that proves this process alive is held.' }
      : { ok: false, text: 'The lock that proves this process alive was lost, so no step starts here until the store gives it back.' }

export const lookAtSlack =
  (connection: () => SlackConnection): Look =>
  () => {
    const now = connection()
    if (now.mode === 'http')
      return now.isListening
        ? { ok: true, text: "Slack's requests are listened for." }
        : { ok: false, text: "Slack's requests are not listened for yet." }
    return now.connections > 0
      ? { ok: true, text: `Slack is connected (${now.connections} ${now.connections === 1 ? 'connection' : 'connections'}).` }
      : { ok: false, text: 'Slack is not connected; runs go on meanwhile.' }
  }

/** As it was at the last look of the watch, which looks each minute and before each run. */
export const lookAtAudit =
  (health: () => AuditHealth): Look =>
  () => {
    const now = health()
    if (now.kind === 'whole') return { ok: true, text: 'The audit log is whole.' }
    return { ok: false, text: (now.kind === 'broken' ? brokenText(now) : restoredText(now)).replaceAll('`', '') }
  }
