import { randomUUID } from 'node:crypto'
import { inTime } from '../../lib/in-time.ts'
import type { Due } from '../../store/due.ts'
import type { Db } from '../../store/pool.ts'
import type { View } from '../port.ts'
import { update, type Answering, type FormAnswering, type FormResponse } from './answering.ts'
import { createAnswering, createForm, type Acknowledge, type InHand } from './in-hand.ts'
import { answerByKeys, claimAnswers, responseOf, isAnswerDue, takeDelivery, writePromise, type Asked } from './rows.ts'
import { createSeal } from './sealed.ts'
import { createSender, type AnswerPorts, type Sender } from './sender.ts'

/** A delivery that came first, or again. */
export type Taken =
  | {
      readonly kind: 'first'
      readonly answering: InHand<Answering>
      readonly form: (acknowledge: Acknowledge) => InHand<FormAnswering>
    }
  | {
      readonly kind: 'twin'
      /** False when an older bot has taken it, which answers in its acknowledgement. */
      readonly isAnsweredApart: () => Promise<boolean>
      readonly responseWithin: (milliseconds: number, meanwhile: View) => Promise<FormResponse | undefined>
    }

export type Answers = {
  /** Writes down that a delivery is being handled, by all that is the same when it comes again. */
  readonly take: (keys: readonly string[], asked: Asked) => Promise<Taken>
  /** Sends what nobody has in hand any more. */
  readonly due: Due
  /** Waits for what is on its way. */
  readonly stop: (withinMs: number) => Promise<void>
}

/**
 * What people are told about what they typed, clicked or sent, each of them once. An acknowledgement says nothing: there may be several
 * of one delivery, and nobody tells which of them was heard. The answer is a row, written where it is decided, and sent by who wrote it;
 * what a replica leaves behind another one sends.
 */
export function createAnswers(ports: AnswerPorts): Answers {
  const seal = createSeal(ports.token)
  const sender = createSender(ports, seal)
  return {
    async take(keys, asked) {
      const id = randomUUID()
      const sealedUrl = asked.responseUrl === undefined ? null : seal.seal(asked.responseUrl)
      const isFirst = await takeDelivery(ports.db, keys, { id, owner: ports.owner.id, sealedUrl, asked })
      if (!isFirst)
        return {
          kind: 'twin',
          isAnsweredApart: async () => (await answerByKeys(ports.db, keys)) !== undefined,
          responseWithin: (milliseconds, meanwhile) => twinResponse(ports.db, keys, milliseconds, meanwhile),
        }
      const delivery = { id, asked, sealedUrl }
      return {
        kind: 'first',
        answering: createAnswering(ports, sender, delivery),
        form: (acknowledge) => createForm(ports, sender, delivery, acknowledge),
      }
    },
    due: { name: 'answers', isDue: isAnswerDue, act: () => sendDue(ports, sender) },
    stop: (withinMs) => inTime(sender.settled(), withinMs).then(() => {}),
  }
}

/** In the background: Slack may be slow, and other things are due. */
async function sendDue({ db, owner }: AnswerPorts, sender: Sender): Promise<void> {
  if (sender.isFull()) return
  for (const row of await claimAnswers(db, { ...owner, mayJudge: owner.mayJudge() })) sender.begin(row)
}

const TWIN_LOOK_MS = 100

/** What the first one says, or a promise that both make; undefined when nothing is known of it. */
async function twinResponse(db: Db, keys: readonly string[], withinMs: number, meanwhile: View): Promise<FormResponse | undefined> {
  const until = performance.now() + withinMs
  for (;;) {
    const answer = await answerByKeys(db, keys)
    if (answer === undefined) return undefined
    const response = responseOf(answer)
    if (response !== undefined || !answer.isTaken) return response
    if (performance.now() >= until) {
      const promised = await writePromise(db, answer.id, meanwhile)
      if (promised !== undefined) return update(promised)
    }
    await new Promise((resolve) => setTimeout(resolve, TWIN_LOOK_MS))
  }
}
