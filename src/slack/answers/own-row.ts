import type { Tx } from '../../store/pool.ts'
import type { View } from '../port.ts'
import { update, type FormResponse, type Said } from './answering.ts'
import { answerById, leaveAnswer, responseOf, writeAnswer, writePromise, type Asked } from './rows.ts'
import type { AnswerPorts } from './sender.ts'

export type Delivery = { readonly id: string; readonly asked: Asked; readonly sealedUrl: string | null }

/** What stands in the row. `promised`: what was acknowledged before it was known. */
type Kept = { readonly said: Said | null; readonly response: FormResponse | null; readonly promised: View | null }

/** `elsewhere`: something else stands there, and whoever looks next says it. `unwritten`: the store is away. */
type WrittenRow = { readonly kind: 'ours'; readonly kept: Kept } | { readonly kind: 'elsewhere' } | { readonly kind: 'unwritten' }

/** The row of a delivery in hand. Only `writeIn` fails. */
export function ownRow({ db, owner, log }: AnswerPorts, { id }: Delivery) {
  let committed: Kept | undefined
  const fault = (error: unknown) =>
    log.warn({ answer: id, error: error instanceof Error ? error.message : String(error) }, 'the row of an answer could not be written')

  async function leave(): Promise<void> {
    await leaveAnswer(db, id, { owner: owner.id, inMs: 0 }).catch(fault)
  }

  async function standing(): Promise<FormResponse | undefined> {
    const row = await answerById(db, id).catch(fault)
    return row === undefined ? undefined : responseOf(row)
  }

  return {
    committed: () => committed,
    standing,
    leave,
    async writeIn(tx: Tx, said: Said | null, response: FormResponse | null): Promise<void> {
      const written = await writeAnswer(tx, id, said, response)
      if (written === undefined) throw new Error('this delivery was given up for lost, and the person was told that nothing was done')
      tx.afterCommit(() => void (committed = { said, response, promised: written.promised }))
    },
    /** What was written in a transaction stays. */
    async write(said: Said, response: FormResponse | null): Promise<WrittenRow> {
      if (committed !== undefined) return { kind: 'ours', kept: committed }
      try {
        const written = await writeAnswer(db, id, said, response)
        if (written !== undefined) return { kind: 'ours', kept: { said, response, promised: written.promised } }
      } catch (error) {
        fault(error)
        return { kind: 'unwritten' }
      }
      await leave() // the end of its transaction was not heard, so this process has it still
      return { kind: 'elsewhere' }
    },
    /** What is acknowledged now: this or what another replica promised, or the answer, if it is there by now. */
    async promise(view: View): Promise<FormResponse> {
      const mine = update(view)
      try {
        const promised = await writePromise(db, id, view)
        return promised === undefined ? ((await standing()) ?? mine) : update(promised)
      } catch (error) {
        fault(error)
        return mine
      }
    },
  }
}
