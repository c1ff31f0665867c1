import { setTimeout as sleep } from 'node:timers/promises'
import type { Sample } from '../../guard/sample.ts'
import type { Observer } from '../../guard/observer.ts'
import type { SeenSession } from '../../guard/session.ts'
import { endSession, isSameSession, whyNotEnd } from '../../guard/sessions.ts'
import { endedText, nameOf, shownStatement } from '../../guard/words.ts'
import type { SessionIdentity } from '../../request/blocker.ts'
import type { RunContext } from '../../request/step.ts'

/** Who is in the way of this run: shown to people, and ended when an approver asks for it. */
export type Blocked = {
  /** Never waits and never fails: the guard looks on whatever the store does. */
  readonly see: (sample: Sample) => void
  /** Before the next try. It ends early once who was in the way is gone. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>
  /** Nobody is shown any more. */
  readonly over: () => Promise<void>
}

/** Between two looks at what people ask for. */
const ASK_MS = 500

export function blockedOf({
  context,
  observer,
}: {
  readonly context: Pick<RunContext, 'blockers' | 'redactor'>
  readonly observer: Observer
}): Blocked {
  const { blockers, redactor } = context
  let current: (SessionIdentity & { readonly whyNotEnd: string | null }) | null = null
  let doing: Promise<void> | null = null
  let isOver = false
  let didAt = -Infinity

  const show = async (blocker: SeenSession, { waiting, queue }: Sample) => {
    const { pid, backend, transaction } = blocker
    const isSame = current !== null && current.pid === pid && current.backend === backend && current.transaction === transaction
    if (current === null || !isSame)
      current = { pid, backend, transaction, whyNotEnd: await observer.glance((client) => whyNotEnd(client, blocker)) }
    await blockers.show({
      pid,
      backend,
      transaction,
      shown: {
        name: redactor.text(nameOf(blocker)),
        role: blocker.role,
        isIdle: blocker.state?.startsWith('idle in transaction') === true,
        transactionMs: blocker.transactionMs,
        statement: shownStatement(redactor.text(blocker.query ?? ''), 120),
        relation: waiting?.relation ?? null,
        queue: queue.count,
        whyNotEnd: current.whyNotEnd,
      },
    })
  }

  const attend = async () => {
    const asked = await blockers.toEnd()
    if (asked !== null) {
      const end = await observer.glance((client) => endSession(client, asked))
      if (end !== null) await blockers.answer(asked, endedText(asked, end))
    }
    const known = current
    if (known === null) return
    if ((await observer.glance((client) => isSameSession(client, known))) !== false) return
    current = null
    await blockers.show(null)
  }

  return {
    see(sample) {
      const blocker = sample.waiting?.blocker ?? null
      if (isOver || doing !== null || performance.now() - didAt < ASK_MS || (blocker === null && current === null)) return
      const shown = blocker !== null && (sample.waiting?.ms ?? 0) >= ASK_MS ? show(blocker, sample) : Promise.resolve()
      doing = shown
        .then(attend)
        .catch(() => {}) // shown and asked again at the next look
        .finally(() => {
          doing = null
          didAt = performance.now()
        })
    },
    async pause(ms, signal) {
      const had = current
      for (const end = performance.now() + ms; performance.now() < end && !signal.aborted;) {
        await sleep(Math.min(ASK_MS, Math.max(0, end - performance.now())), undefined, { signal }).catch(() => {}) // looked at above
        await attend().catch(() => {}) // asked again in a moment
        if (had !== null && current === null) return
      }
    },
    async over() {
      isOver = true
      await doing
      try {
        const asked = await blockers.toEnd()
        if (asked !== null) await blockers.answer(asked, endedText(asked, 'not_needed'))
        await blockers.show(null)
      } catch {
        // the card of a run that has ended shows nobody
      }
    },
  }
}
