import { modal, section } from '../../src/slack/blocks/blocks.ts'
import type { View } from '../../src/slack/port.ts'

export const TOLD = 'told'

/** A sentence in a window, where there is no channel to say it in or a window is open already. */
export const toldView = (text: string, title = 'Not possible'): View =>
  modal({ callback: TOLD, title, close: 'Close', blocks: [section(text)] })

/** While an answer takes longer than Slack waits. */
export const workingView = (text: string): View => toldView(text, 'One moment')
