import type { AnswerIn } from '../decisions/audit.ts'
import type { Answering, Said } from '../../src/slack/answers/answering.ts'
import type { Message } from '../../src/slack/port.ts'
import { noticeView } from './notice-modal.ts'

/** What one person is told, wherever that is. */
export const saidOf = (message: Message, title?: string): Said => ({ message, view: noticeView(message.text, title) })

/** For acts that say what they did. */
export const saysIn =
  ({ sayIn }: Pick<Answering, 'sayIn'>, title?: string): AnswerIn =>
  (tx, { text }) =>
    sayIn(tx, saidOf({ text }, title))

/** For acts that are seen where they were done. */
export const isSeen =
  ({ sayIn }: Pick<Answering, 'sayIn'>): AnswerIn =>
  (tx) =>
    sayIn(tx, null)
