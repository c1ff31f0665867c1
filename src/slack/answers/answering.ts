import type { Tx } from '../../store/pool.ts'
import type { Message, View } from '../port.ts'

/** What one person is told: as a message where it was typed or clicked, as a view where a window is open or there is no channel. */
export type Said = { readonly message: Message; readonly view: View }

/** What Slack does with a window that was sent. It travels in the acknowledgement, so every acknowledgement of a delivery says the same. */
export type FormResponse =
  | { readonly response_action: 'errors'; readonly errors: Readonly<Record<string, string>> }
  | { readonly response_action: 'update' | 'push'; readonly view: View }
  | { readonly response_action: 'clear' }

export const update = (view: View): FormResponse => ({ response_action: 'update', view })

/** `said`: what stands in the window instead, when the acknowledgement could not wait for it. */
export type FormEnd = { readonly response: FormResponse; readonly said: Said }

/** The way to the person behind one command or click. Who says nothing until the handling ends has nothing to say. */
export type Answering = {
  /** Once, and at once. What was written in a transaction before is said instead. */
  readonly say: (said: Said) => Promise<void>
  /**
   * Writes what is said (null: nothing) together with what was done, so that neither is without the other. Throws when the delivery was
   * given up for lost meanwhile: then the person has been told that nothing was done, and nothing may be.
   */
  readonly sayIn: (tx: Tx, said: Said | null) => Promise<void>
  /** Begins to say something before an answer that takes its time. It is no row: nobody misses it when the answer comes. */
  readonly meanwhile: (text: string) => void
}

/** The same behind a window that was sent. */
export type FormAnswering = {
  /** Acknowledges with what came of it, or with `meanwhile` when that takes longer than `withinMs`; then the window shows it later. */
  readonly answer: (end: Promise<FormEnd>, withinMs: number, meanwhile: View) => Promise<void>
  /** As `sayIn`. */
  readonly answerIn: (tx: Tx, end: FormEnd) => Promise<void>
}

/** What the gate before all handlers leaves for them in a delivery's context. */
type Context = Readonly<Record<string, unknown>>

export const ANSWERING = 'answering'

export const answeringIn = (context: Context): Answering => context[ANSWERING] as Answering // the gate put it there for commands and clicks

export const formIn = (context: Context): FormAnswering => context[ANSWERING] as FormAnswering // and this for windows
