import { modal, section } from '../../src/slack/blocks/blocks.ts'
import type { View } from '../../src/slack/port.ts'

export const NOTICE = 'told'

/** A sentence in a window, where there is no channel to say it in or a window is open already. */
export const noticeView = (text: string, title = 'Not possible'): View =>
  modal({ callback: NOTICE, title, close: 'Close', blocks: [section(text)] })

/** While an answer takes longer than Slack waits. */
export const workingView = (text: string): View => noticeView(text, 'One moment')
