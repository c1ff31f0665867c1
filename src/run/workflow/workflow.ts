import { setTimeout as wait } from 'node:timers/promises'
import { writeAudit } from '../../audit/write.ts'
import { storeNow } from '../../store/now.ts'
import type { Queries, Tx } from '../../store/pool.ts'
import { constraintOf, hasSqlState, sqlState } from '../../lib/sqlstate.ts'
import type { Durable, WorkflowBody } from '../../engine/engine.ts'
import { killPoint } from '../../lib/failpoint.ts'
import { escapeMrkdwn } from '../../lib/mrkdwn.ts'
import { during, tell, withFields } from '../../lib/telemetry.ts'
import type { Evidence, Plan } from '../../plan/plan.ts'
import { isRefusal, refuse, type Refusal } from '../../lib/refusal.ts'
import { MAINTENANCE_OFF, offAgain } from '../../request/maintenance-mode.ts'
import { performStep, type Next, type RunPorts } from '../step-runner/step-runner.ts'
import { persist } from '../../store/retry-store.ts'
import type { PolicySnapshot, RequestRow } from '../../request/request.ts'
import { about, addEvent, requestById, stepsOf, transition } from '../../request/store.ts'
import type { Step } from '../../request/step.ts'
import { codeText, personText } from '../../lib/text.ts'
import { planNextCheck, turnOf } from '../../request/start-slot.ts'
import { doneHeadline, firstBold } from '../../request/render/words.ts'

/** A plan with what is decided together with it. */
export type Planned = { readonly plan: Plan; readonly digest: string; readonly evidence: Evidence; readonly policy: PolicySnapshot }

export type WorkflowPorts = RunPorts & {
  /** Reads git and the target; no code of the repository runs. */
  readonly makePlan: (request: RequestRow) => Promise<Planned | Refusal>
  readonly stepsFor: (request: RequestRow, plan: Plan) => readonly Step[]
  /** From `approvals/`: whether the target is open for this request now. `trusting`: whoever overrides was looked up a moment ago. */
  readonly gate: (db: Queries, request: RequestRow, how?: { readonly trusting: boolean }) => Promise<Passage>
}

/** Whether a run may start now, and when the opening closes in which it would run. */
export type Passage =
  | { readonly kind: 'open'; readonly closesAt: number | null; readonly windowId: number | null }
  | { readonly kind: 'shut'; readonly refusal: Refusal }
  /** Open, but it waits for somebody who stands by. */
  /** `why`: a freeze that ends inside its window; left out, nobody has confirmed to stand by. */
  | { readonly kind: 'held'; readonly windowId: number | null; readonly standby: string | null; readonly why?: string }
  /** Whether somebody may override cannot be learned now. */
  | { readonly kind: 'unknown' }

/**
 * A request from asking to proof: plan, wait for the votes, check again, run. Each line that begins with `step` is checkpointed; the
 * loops repeat only when the world changed and people have to be asked anew.
 */
export function requestWorkflow(ports: WorkflowPorts): WorkflowBody {
  return async (id, durable) => {
    const request = await persist(ports.log, () => requestById(ports.db, id))
    const about = { request: id, target: request?.target ?? '' }
    await withFields(about, () => carry(ports, about, durable))
    await withFields(about, () => tellEnd(ports, id))
  }
}

type About = { readonly request: number; readonly target: string }

async function carry(ports: WorkflowPorts, about: About, durable: Durable): Promise<void> {
  const id = about.request
  const phase = <T extends string>(phase: 'plan' | 'check', work: () => Promise<T>) =>
    during({ kind: 'phase', phase, ...about }, work, (result) => result)
  if ((await durable.step('plan', () => phase('plan', () => planFirst(ports, id)))) === 'ended') return
  for (let round = 1; ; round++) {
    if ((await granted(ports, id, round, durable)) === 'ended') return
    const checked = await durable.step(`check before the run ${round}`, () => phase('check', () => checkAtQuorum(ports, id)))
    if (checked === 'ended') return
    if (checked === 'go') break
  }
  const steps = await durable.step('begin', () => begin(ports, id))
  killPoint('after-claim')
  for (const name of steps) {
    const next = await durable.step(name, () => performStep(ports, ports.stepsFor, id, name))
    if (next !== 'next') return settle(ports, id, next, durable)
  }
  await durable.step('finish', () => finish(ports, id))
}

/** A run that has stopped with maintenance mode on is not over: whatever stopped it, the switch is set before it ends. */
async function settle(ports: WorkflowPorts, id: number, next: Exclude<Next, 'next'>, { step, nextSignal }: Durable): Promise<void> {
  if (next === 'ended') return
  if (next === 'off when closed') {
    await step('tell that it needs a person', () => tellEnd(ports, id))
    for (let look = 1; (await step(`look whether it is closed ${look}`, () => stateOf(ports, id))) === 'needs_human'; look++)
      await nextSignal()
  }
  await step(MAINTENANCE_OFF, () => performStep(ports, ports.stepsFor, id, MAINTENANCE_OFF))
}

/** Told once the workflow has nothing more to do, which for a run that needs a person is before somebody closes it. */
async function tellEnd(ports: WorkflowPorts, id: number): Promise<void> {
  const request = await persist(ports.log, () => requestById(ports.db, id))
  if (request === undefined) return
  const { target, state, createdAt, startedAt, endedAt } = request
  tell({ kind: 'request ended', request: id, target, state, createdAt, startedAt, endedAt: endedAt ?? new Date() })
}

/** The votes are rows; a signal only says that it is time to look. */
async function granted(ports: WorkflowPorts, id: number, round: number, { step, nextSignal }: Durable): Promise<'granted' | 'ended'> {
  for (let look = 1; ; look++) {
    const state = await step(`look ${round}.${look}`, () => stateOf(ports, id))
    if (state === 'granted') return 'granted'
    if (state === 'to check') {
      await step(`check ahead ${round}.${look}`, () => checkAhead(ports, id))
      continue
    }
    if (state !== 'waiting' && state !== 'queued') return 'ended'
    await nextSignal()
  }
}

/** What is to be done about it now: a request that is approved for a window is `queued` until its turn comes. */
const stateOf = (ports: WorkflowPorts, id: number): Promise<RequestRow['state'] | 'queued' | 'to check'> =>
  persist(ports.log, async () => {
    const request = await requestById(ports.db, id)
    if (request === undefined) return 'cancelled'
    if (request.notBefore === null || (request.state !== 'waiting' && request.state !== 'granted')) return request.state
    const turn = turnOf(request, await storeNow(ports.db))
    if (turn === 'check') return 'to check'
    if (request.state === 'waiting') return 'waiting'
    return turn === 'later' || (await isHeld(ports, request)) ? 'queued' : 'granted'
  })

/** Its window is open, but it is frozen for a part of it, or nobody has confirmed to stand by: it waits inside the window, and says so once. */
async function isHeld(ports: WorkflowPorts, request: RequestRow): Promise<boolean> {
  const passage = await ports.gate(ports.db, request)
  if (passage.kind !== 'held') return false
  const { why } = passage
  await ports.db.transaction(async (tx) => {
    if (why !== undefined) return sayOnce(tx, request, `Its turn has come, and it waits inside its window. ${why}`)
    const said = await tx.query(`select 1 from lockkeeper.event where request_id = $1 and kind = 'no_standby'`, [request.id])
    if (said.length > 0) return
    await addEvent(tx, request.id, { kind: 'no_standby', data: { windowId: passage.windowId, standby: passage.standby } })
    await writeAudit(tx, { ...about(request), act: 'check', result: 'no_standby' })
  })
  return true
}

async function sayOnce(tx: Tx, request: RequestRow, text: string): Promise<void> {
  const said = await tx.query(`select 1 from lockkeeper.event where request_id = $1 and kind = 'finding' and data->>'text' = $2`, [
    request.id,
    text,
  ])
  if (said.length > 0) return
  await addEvent(tx, request.id, { kind: 'finding', data: { text } })
  await writeAudit(tx, { ...about(request), act: 'check', result: 'frozen' })
}

/** Hours before its turn: what changed asks anew now, so that nobody is asked in the night. */
async function checkAhead(ports: WorkflowPorts, id: number): Promise<void> {
  const request = await persist(ports.log, () => requestById(ports.db, id))
  if (request?.plan == null || (request.state !== 'waiting' && request.state !== 'granted')) return
  // done by a process that died before this was checkpointed
  if (turnOf(request, await persist(ports.log, () => storeNow(ports.db))) !== 'check') return
  const compared = await compareSafely(ports, request, request.plan)
  if (compared.kind === 'changed') {
    const planned = await planSafely(ports, request)
    if (isRefusal(planned)) return void (await refuseRequest(ports, request, refuse(planned.code, `${compared.why} ${planned.text}`)))
    await persist(ports.log, () => writePlan(ports, request, planned, ['waiting', 'granted'], compared.why))
    return persist(ports.log, () => planNextCheck(ports.db, request))
  }
  const granted = request.state === 'granted' ? await persist(ports.log, () => ports.stillGranted(id)) : true
  if (granted !== true && granted.code === 'not_an_approver') await backToWaiting(ports, request, granted)
  await persist(ports.log, () =>
    ports.db.transaction(async (tx) => {
      await planNextCheck(tx, request)
      await addEvent(
        tx,
        id,
        compared.kind === 'same'
          ? { kind: 'checked', data: {} }
          : {
              kind: 'finding',
              data: { text: `It could not be compared before its turn: ${compared.why} It is compared again when its turn comes.` },
            },
      )
      await writeAudit(tx, { ...about(request), act: 'check', result: compared.kind === 'same' ? 'unchanged' : 'unknown' })
    }),
  )
}

async function planFirst(ports: WorkflowPorts, id: number): Promise<'waiting' | 'ended'> {
  const request = await persist(ports.log, () => requestById(ports.db, id))
  // planned by a process that died before this was checkpointed; votes may have come since
  if (request?.state === 'waiting' || request?.state === 'granted') return 'waiting'
  if (request?.state !== 'planning') return 'ended'
  const planned = await planSafely(ports, request)
  if (isRefusal(planned)) return refuseRequest(ports, request, planned)
  return persist(ports.log, () => writePlan(ports, request, planned, ['planning']))
}

/** A fault while planning has touched nothing, so it ends the request with its reason rather than retrying for ever. */
async function planSafely(ports: WorkflowPorts, request: RequestRow): Promise<Planned | Refusal> {
  try {
    return await ports.makePlan(request)
  } catch (error) {
    ports.log.error({ request: request.id, error: ports.redactor.text(String((error as Error).stack)) }, 'planning failed')
    const reason = escapeMrkdwn(ports.redactor.text((error as Error).message).slice(0, 500))
    return refuse('target_unfit', `The plan could not be made: ${reason} Nothing was touched. Mend that and ask again.`)
  }
}

async function refuseRequest(ports: WorkflowPorts, request: RequestRow, refusal: Refusal): Promise<'ended'> {
  await persist(ports.log, () =>
    ports.db.transaction(async (tx) => {
      if (
        !(await transition(tx, request.id, ['planning', 'waiting', 'granted'], 'refused', {
          outcome: { headline: firstBold(refusal.text) },
        }))
      )
        return
      await addEvent(tx, request.id, { kind: 'ended', data: { state: 'refused' } })
      await writeAudit(tx, { ...about(request), act: 'plan', result: refusal.code })
    }),
  )
  return 'ended'
}

async function writePlan(
  ports: WorkflowPorts,
  request: RequestRow,
  planned: Planned,
  from: readonly RequestRow['state'][],
  why?: string,
): Promise<'waiting' | 'ended'> {
  const { plan, digest, evidence, policy } = planned
  try {
    return await ports.db.transaction(async (tx) => {
      const identityKey = `${plan.identity.systemIdentifier}/${plan.identity.databaseOid}`
      const moved = await transition(tx, request.id, from, 'waiting', {
        plan,
        digest,
        evidence,
        policy,
        identityKey,
        expiresIn: policy.expiresMs,
      })
      if (!moved) return whereItStands(tx, request.id)
      await addEvent(tx, request.id, why === undefined ? { kind: 'requested', data: {} } : { kind: 'asked_anew', data: { why } })
      const data = { commit: plan.commit, ...(why === undefined ? {} : { why: why.slice(0, 1_000) }) }
      await writeAudit(tx, { ...about(request), act: 'plan', result: 'planned', digest, data })
      return 'waiting'
    })
  } catch (error) {
    if (!hasSqlState(error, sqlState.uniqueViolation) || constraintOf(error) !== 'request_active_database') throw error
    return refuseRequest(ports, request, await databaseTaken(ports, request, plan))
  }
}

/** It was cancelled meanwhile, or the commit of an earlier try arrived and only its answer was lost: then it waits, and must be waited for. */
const whereItStands = async (tx: Tx, id: number): Promise<'waiting' | 'ended'> =>
  (await requestById(tx, id))?.state === 'waiting' ? 'waiting' : 'ended'

/** The same database under another name is one target: one request at a time. */
async function databaseTaken({ db }: WorkflowPorts, request: RequestRow, { identity }: Plan): Promise<Refusal> {
  const [holder] = await db.query<{ id: number; target: string; requester: string }>(
    `select id, target, requester from lockkeeper.request
     where identity_key = $1 and id <> $2 and state in ('planning','waiting','granted','running','needs_human')`,
    [`${identity.systemIdentifier}/${identity.databaseOid}`, request.id],
  )
  return refuse(
    'target_taken',
    holder === undefined
      ? `The database of ${codeText(request.target)} was taken by a request for another target, which has ended meanwhile. Nothing was started. Ask again.`
      : `The database of ${codeText(request.target)} is also that of ${codeText(holder.target)}, and taken there by #${holder.id} (asked by ${personText(holder.requester)}). Nothing was started. It frees when that ends, or with ${codeText(`/migrate cancel ${holder.id}`)}.`,
  )
}

/** After the quorum, before anything runs: the votes must still count, and the world must still be the one that was approved. */
async function checkAtQuorum(ports: WorkflowPorts, id: number): Promise<'go' | 'anew' | 'ended'> {
  killPoint('before-claim')
  for (;;) {
    const request = await persist(ports.log, () => requestById(ports.db, id))
    if (request?.state !== 'granted' || request.plan === null) return request?.state === 'running' ? 'go' : 'ended'
    const granted = await persist(ports.log, () => ports.stillGranted(id))
    if (granted !== true && granted.code !== 'not_an_approver') {
      // it could not be checked, or it ends at this moment: the grant stands until it expires, which the state above will tell
      await wait(CHECK_AGAIN_MS)
      continue
    }
    if (granted !== true) return backToWaiting(ports, request, granted)
    const barred = await persist(ports.log, () => ports.whyNoRun(request))
    if (barred !== null) return refuseRequest(ports, request, barred)
    const passage = await persist(ports.log, () => ports.gate(ports.db, request))
    if (passage.kind === 'shut') return refuseRequest(ports, request, passage.refusal)
    if (passage.kind === 'unknown' || passage.kind === 'held') {
      await wait(CHECK_AGAIN_MS)
      continue
    }
    const compared = await compareSafely(ports, request, request.plan)
    if (compared.kind === 'same') return 'go'
    if (compared.kind === 'unknown')
      return refuseRequest(
        ports,
        request,
        refuse(
          'target_unreachable',
          `${compared.why} What cannot be checked does not start. Nothing was touched; ask again when it can be read.`,
        ),
      )
    const planned = await planSafely(ports, request)
    if (isRefusal(planned)) return refuseRequest(ports, request, refuse(planned.code, `${compared.why} ${planned.text}`))
    const written = await persist(ports.log, () => writePlan(ports, request, planned, ['granted'], compared.why))
    return written === 'waiting' ? 'anew' : 'ended'
  }
}

const heldAgain = refuse('outside_window', 'What it had waited for came back in the moment of its start. Nothing was started. Ask again.')

const CHECK_AGAIN_MS = 2_000

/** A fault here has touched nothing; thrown on, it would leave the request granted until it expires, without a word. */
async function compareSafely(ports: WorkflowPorts, request: RequestRow, plan: Plan) {
  try {
    return await ports.compare(plan, request, 'before-migrate')
  } catch (error) {
    ports.log.error({ request: request.id, error: ports.redactor.text(String((error as Error).stack)) }, 'the check before the run failed')
    return {
      kind: 'unknown' as const,
      why: `The check before the run failed: ${escapeMrkdwn(ports.redactor.text((error as Error).message).slice(0, 500))}`,
    }
  }
}

/** An approver has left or the rules became stricter between the last vote and the start: the same plan waits for more votes. */
async function backToWaiting(ports: WorkflowPorts, request: RequestRow, refusal: Refusal): Promise<'anew' | 'ended'> {
  return persist(ports.log, () =>
    ports.db.transaction(async (tx) => {
      if (!(await transition(tx, request.id, ['granted'], 'waiting')))
        return (await whereItStands(tx, request.id)) === 'waiting' ? 'anew' : 'ended'
      await addEvent(tx, request.id, { kind: 'asked_anew', data: { why: refusal.text, samePlan: true } })
      await writeAudit(tx, { ...about(request), act: 'check', result: refusal.code })
      return 'anew'
    }),
  )
}

/** Uses the grant: once, and only while it has not expired by the store's clock. */
async function begin(ports: WorkflowPorts, id: number): Promise<readonly string[]> {
  return persist(ports.log, () =>
    ports.db.transaction(async (tx) => {
      const request = await requestById(tx, id)
      if (request?.plan == null) return []
      // begun by a process that died before this was checkpointed: what was written down then counts, not what is configured now
      if (request.state === 'running') return (await stepsOf(tx, id)).map((step) => step.name)
      const [unexpired] = await tx.query<{ ok: boolean }>(
        'select grant_expires_at > lockkeeper.now() as ok from lockkeeper.request where id = $1',
        [id],
      )
      if (unexpired?.ok !== true) {
        if (!(await transition(tx, id, ['granted'], 'expired'))) return []
        const isWindow = request.notAfter !== null
        await addEvent(tx, id, { kind: 'expired', data: { what: isWindow ? 'window' : 'grant' } })
        await writeAudit(tx, { ...about(request), act: 'expire', result: isWindow ? 'window_closed' : 'grant' })
        return []
      }
      const passage = await ports.gate(tx, request, { trusting: true })
      if (passage.kind === 'shut' || passage.kind === 'held') {
        const refusal = passage.kind === 'shut' ? passage.refusal : heldAgain
        if (!(await transition(tx, id, ['granted'], 'refused', { outcome: { headline: firstBold(refusal.text) } }))) return []
        await addEvent(tx, id, { kind: 'ended', data: { state: 'refused' } })
        await writeAudit(tx, { ...about(request), act: 'check', result: refusal.code })
        return []
      }
      const why = ports.reconfigured(request.plan, request)
      if (why !== null) {
        const headline = `${why} Nothing was started; ask again for what is configured now.`
        if (!(await transition(tx, id, ['granted'], 'refused', { outcome: { headline } }))) return []
        await addEvent(tx, id, { kind: 'ended', data: { state: 'refused' } })
        await writeAudit(tx, { ...about(request), act: 'check', result: 'reconfigured', data: { why } })
        return []
      }
      const steps = ports.stepsFor(request, request.plan)
      if (!(await transition(tx, id, ['granted'], 'running'))) return []
      if (passage.kind === 'open')
        await tx.query(
          `update lockkeeper.request set closes_at = to_timestamp($2::float8 / 1000), maintenance_id = coalesce(maintenance_id, $3) where id = $1`,
          [id, passage.closesAt, passage.windowId],
        )
      for (const [ordinal, step] of steps.entries())
        await tx.query('insert into lockkeeper.step (request_id, ordinal, name, title) values ($1, $2, $3, $4) on conflict do nothing', [
          id,
          ordinal,
          step.name,
          step.title,
        ])
      const [decided] = await tx.query<{ askedAt: Date; grantedAt: Date }>(ASKED_AND_GRANTED, [id])
      if (decided !== undefined) tell({ kind: 'run started', request: id, target: request.target, ...decided })
      await addEvent(tx, id, { kind: 'started', data: {} })
      await writeAudit(tx, { ...about(request), act: 'run', result: 'started' })
      return steps.map((step) => step.name)
    }),
  )
}

/** Asked anew, people can decide about that plan from then on. */
const ASKED_AND_GRANTED = `
select coalesce((select max(at) from lockkeeper.event e where e.request_id = r.id and kind in ('requested', 'asked_anew')), created_at) as "askedAt",
  coalesce(granted_at, started_at) as "grantedAt"
from lockkeeper.request r where id = $1`

async function finish(ports: WorkflowPorts, id: number): Promise<void> {
  await persist(ports.log, () =>
    ports.db.transaction(async (tx) => {
      const request = await requestById(tx, id)
      if (request?.plan == null || request.state !== 'running') return
      const maintenance = await offAgain(tx, id)
      const outcome = { headline: doneHeadline(request.plan, request.ask.skipApp), ...(maintenance === null ? {} : { maintenance }) }
      await transition(tx, id, ['running'], 'succeeded', { outcome })
      await addEvent(tx, id, { kind: 'ended', data: { state: 'succeeded' } })
      await writeAudit(tx, { ...about(request), act: 'run', result: 'succeeded' })
    }),
  )
}
