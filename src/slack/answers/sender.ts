import { setTimeout as wait } from 'node:timers/promises'
import type { Log } from '../../lib/log.ts'
import type { Db } from '../../store/pool.ts'
import { createCloser } from './closer.ts'
import { closeAnswers, countPart, leaveAnswer, SENDING_MS, type AnswerRow } from './rows.ts'
import type { Seal } from './sealed.ts'
import { sendAnswer, type AnswerSlack } from './send.ts'

export type AnswerPorts = {
  readonly db: Db
  readonly slack: AnswerSlack
  readonly log: Log
  /** This process; while it lives it holds the session advisory lock (`lock`, `hashtext(id)`) in the store. */
  readonly owner: {
    readonly id: string
    readonly lock: number
    /** Whether it may say of others that they are dead. */
    readonly mayJudge: () => boolean
  }
  /** What the addresses of people are sealed with: the bot's token, which all replicas have. */
  readonly token: string
}

export type Sender = {
  /** Never fails: what does not come through is tried again by whoever looks. `from`: how its row stands. */
  readonly send: (row: AnswerRow, how?: { readonly trigger?: string | undefined; readonly from?: 'taken' | 'due' }) => Promise<void>
  /** The same in the background. */
  readonly begin: (row: AnswerRow) => void
  /** Nothing more comes of it. What was said already (`due`) is closed together with others, a moment later. */
  readonly close: (id: string, from: 'taken' | 'due') => Promise<void>
  readonly isFull: () => boolean
  readonly settled: () => Promise<unknown>
}

const AT_ONCE = 4
const STORE_PAUSE_MS = 500
/** Until then a bot that dies leaves a window to be shown once more, which is closed. */
const CLOSE_TOGETHER_MS = 500

/** Sends answers whose rows this process has, and writes down what came of it. */
export function createSender({ db, slack, log, owner }: AnswerPorts, seal: Seal): Sender {
  const inFlight = new Set<Promise<void>>()
  const closing = new Set<Promise<void>>()
  const closeSaid = createCloser((ids) => closeAnswers(db, ids, 'due', 'sent'), CLOSE_TOGETHER_MS)

  async function sendOne(row: AnswerRow, trigger: string | undefined, from: 'taken' | 'due'): Promise<void> {
    const { id, kind, tries } = row
    const sending = await sendAnswer({
      slack,
      row,
      responseUrl: row.responseUrl === null ? null : seal.open(row.responseUrl),
      trigger,
      counted: (parts) => written(id, () => countPart(db, id, { owner: owner.id, parts })),
    })
    switch (sending.kind) {
      case 'sent':
        return written(id, () => closeAnswers(db, [id], from, 'sent'))
      case 'gone':
        log.warn({ answer: id, kind, why: sending.why }, 'a person could not be told an answer by any way; it is given up')
        return written(id, () => closeAnswers(db, [id], from, 'gone'))
      case 'later':
        log.warn({ answer: id, kind, tries, why: sending.why }, 'an answer did not come through to a person; it is tried again')
        return written(id, () => leaveAnswer(db, id, { ...sending, owner: owner.id }))
    }
  }

  const say = (id: string) => (error: unknown) =>
    log.error({ answer: id, error: error instanceof Error ? error.message : String(error) }, 'what came of an answer is not written')

  async function track(id: string, work: Promise<void>, among = inFlight): Promise<void> {
    const tracked = work.catch(say(id))
    among.add(tracked)
    await tracked
    among.delete(tracked)
  }

  /** Nobody waits for an outage of the store; but past the time for which the row is held another one may send it again. */
  async function written(id: string, write: () => Promise<void>): Promise<void> {
    await write().catch(() => {
      track(id, writtenLater(write)).catch(say(id))
    })
  }

  const send: Sender['send'] = (row, { trigger, from = 'due' } = {}) => track(row.id, sendOne(row, trigger, from))

  return {
    send,
    begin: (row) => void send(row).catch(() => {}), // never
    close: (id, from) =>
      track(
        id,
        written(id, () => (from === 'due' ? closeSaid(id) : closeAnswers(db, [id], from, 'sent'))),
        closing,
      ),
    isFull: () => inFlight.size >= AT_ONCE,
    settled: () => Promise.all([...inFlight, ...closing]),
  }
}

async function writtenLater(write: () => Promise<void>): Promise<void> {
  const until = performance.now() + SENDING_MS
  for (;;) {
    await wait(STORE_PAUSE_MS, undefined, { ref: false })
    try {
      return await write()
    } catch (error) {
      if (performance.now() >= until) throw error
    }
  }
}
