import type { Blocker } from '../../src/request/blocker.ts'
import { blockerText } from '../../src/request/render/blocker.ts'
import type { RequestRow } from '../../src/request/request.ts'
import { context, modal, section } from '../../src/slack/blocks/blocks.ts'
import type { View } from '../../src/slack/port.ts'

export const endBlockerCallback = 'end_blocker'

/** Asks once more before a session of somebody else is ended, and says what that means. It is for exactly the session that is shown. */
export const endBlockerView = (request: RequestRow, blocker: Blocker): View =>
  modal({
    callback: endBlockerCallback,
    title: 'End the blocker',
    submit: 'End it',
    close: 'Keep it',
    metadata: JSON.stringify({ token: request.token, blocker: blocker.id } satisfies ShownBlocker),
    blocks: [
      section(blockerText(blocker)),
      section(
        'Ending it closes this one connection. What it has not committed is taken back, and its application gets an error; a report or a job has to be started again. The migration then goes on, or is tried again, by itself.',
      ),
      context('Only this session is ended, and only while it is in the same transaction. The record names you.'),
    ],
  })

type ShownBlocker = { readonly token: string; readonly blocker: number }

/** What the window was about. Metadata that is not ours leads to no request. */
export function shownBlocker(metadata: string): ShownBlocker {
  try {
    const value: unknown = JSON.parse(metadata)
    if (typeof value !== 'object' || value === null) return NOTHING
    const { token, blocker } = value as Partial<Record<keyof ShownBlocker, unknown>>
    return typeof token === 'string' && typeof blocker === 'number' && Number.isSafeInteger(blocker) ? { token, blocker } : NOTHING
  } catch {
    return NOTHING
  }
}

const NOTHING: ShownBlocker = { token: '', blocker: 0 }
