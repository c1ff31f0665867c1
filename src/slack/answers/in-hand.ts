import { inTime } from '../../lib/in-time.ts'
import { fitView } from '../limits/limits.ts'
import type { View } from '../port.ts'
import { update, type Answering, type FormAnswering, type FormEnd, type FormResponse, type Said } from './answering.ts'
import { ownRow, type Delivery } from './own-row.ts'
import type { AnswerRow } from './rows.ts'
import type { AnswerPorts, Sender } from './sender.ts'

/** A delivery that this process works on, and how it is answered. */

/** `end` after its handler: who has said nothing has nothing to say. `lose` when the handler failed. Neither fails. */
export type InHand<T> = T & { readonly end: () => Promise<void>; readonly lose: () => Promise<void> }

export type Acknowledge = (response: FormResponse) => Promise<void>

/** A first word is not waited for longer than this when the answer is there. */
const FIRST_WORD_MS = 2_000

export function createAnswering(ports: AnswerPorts, sender: Sender, delivery: Delivery): InHand<Answering> {
  const { asked } = delivery
  const own = ownRow(ports, delivery)
  let firstWord: Promise<unknown> = Promise.resolve()
  let isOver = false
  const send = (said: Said, from: 'taken' | 'due') => sender.send(rowOf(delivery, said, null), { trigger: asked.trigger, from })
  return {
    sayIn: (tx, said) => own.writeIn(tx, said, null),
    async say(said) {
      if (isOver) return
      isOver = true
      const written = await own.write(said, null)
      await inTime(firstWord, FIRST_WORD_MS)
      if (written.kind === 'unwritten') return send(said, 'taken')
      if (written.kind === 'ours' && written.kept.said !== null) await send(written.kept.said, 'due')
    },
    meanwhile(text) {
      if (asked.responseUrl === undefined || isOver) return
      firstWord = ports.slack
        .respond(asked.responseUrl, { text })
        .catch((error: unknown) => ports.log.debug({ error: String(error) }, 'a first word was not said'))
    },
    async end() {
      if (isOver) return
      isOver = true
      const kept = own.committed()
      if (kept === undefined) return sender.close(delivery.id, 'taken')
      if (kept.said !== null) await send(kept.said, 'due')
    },
    lose: own.leave,
  }
}

export function createForm(ports: AnswerPorts, sender: Sender, delivery: Delivery, acknowledge: Acknowledge): InHand<FormAnswering> {
  const own = ownRow(ports, delivery)
  let isAcknowledged = false

  async function acknowledgeOnce(response: FormResponse): Promise<void> {
    if (isAcknowledged) return
    isAcknowledged = true
    await acknowledge(response)
  }

  async function finish({ said, response }: FormEnd): Promise<void> {
    const written = await own.write(said, fitted(response))
    switch (written.kind) {
      case 'ours': {
        const { kept } = written
        await acknowledgeOnce(kept.promised === null ? (kept.response ?? response) : update(fitView(kept.said?.view ?? said.view)))
        return kept.promised === null || kept.said === null
          ? sender.close(delivery.id, 'due')
          : sender.send(rowOf(delivery, kept.said, kept.promised))
      }
      case 'elsewhere':
        return acknowledgeOnce((await own.standing()) ?? fitted(response))
      case 'unwritten': {
        const wasPromised = isAcknowledged
        await acknowledgeOnce(fitted(response))
        return wasPromised ? sender.send(rowOf(delivery, said, said.view), { from: 'taken' }) : sender.close(delivery.id, 'taken')
      }
    }
  }

  return {
    answerIn: (tx, { said, response }) => own.writeIn(tx, said, fitted(response)),
    async answer(end, withinMs, meanwhile) {
      const quick = await inTime(end, withinMs)
      if (quick.kind === 'late') await acknowledgeOnce(await own.promise(fitView(meanwhile)))
      await finish(await quick.value)
    },
    end: async () => {}, // a window that nobody answers is not acknowledged either
    lose: own.leave,
  }
}

const fitted = (response: FormResponse): FormResponse => ('view' in response ? { ...response, view: fitView(response.view) } : response)

const rowOf = ({ id, asked, sealedUrl }: Delivery, said: Said, promised: View | null): AnswerRow => ({
  id,
  kind: asked.kind,
  account: asked.account,
  channel: asked.channel ?? null,
  thread: asked.thread ?? null,
  view: asked.view ?? null,
  responseUrl: sealedUrl,
  said,
  parts: 0,
  promised,
  tries: 0,
  ageMs: 0,
})
