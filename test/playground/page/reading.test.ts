import { expect, test } from 'vitest'
import {
  channelMessages,
  compareTs,
  threadMessages,
  threadSummary,
  unreadMessages,
  visibleChannels,
} from '../../../playground/page/reading.ts'
import { suggestCommands } from '../../../playground/page/suggest.ts'
import { message, workspace } from './workspace.ts'

const state = workspace({
  messages: [
    message('1000.000002', { text: 'root' }),
    message('1000.000001', { text: 'first', user: 'U0ALICE' }),
    message('1001.000000', { text: 'reply', threadTs: '1000.000002' }),
    message('1002.000000', { text: 'loud reply', threadTs: '1000.000002', broadcast: true }),
    message('1003.000000', { text: 'for Alice', ephemeralTo: 'U0ALICE' }),
  ],
})
const texts = (messages: readonly { readonly text: string }[]): readonly string[] => messages.map(({ text }) => text)

test('a channel shows its messages in order, without replies that were not sent to it', () => {
  expect(texts(channelMessages(state, 'C0DEPLOYS', 'U0BOB'))).toEqual(['first', 'root', 'loud reply'])
})
test('an ephemeral message is seen by one person', () => {
  expect(texts(channelMessages(state, 'C0DEPLOYS', 'U0ALICE'))).toEqual(['first', 'root', 'loud reply', 'for Alice'])
})
test('a thread shows its root and all replies', () => {
  expect(texts(threadMessages(state, 'C0DEPLOYS', '1000.000002', 'U0BOB'))).toEqual(['root', 'reply', 'loud reply'])
  expect(threadSummary(state, 'C0DEPLOYS', '1000.000002', 'U0BOB')).toEqual({ count: 2, lastTs: '1002.000000', people: ['U0BOT'] })
  expect(threadSummary(state, 'C0DEPLOYS', '1000.000001', 'U0BOB')).toBeNull()
})
test('a parent that names itself as its thread is no reply', () => {
  const own = workspace({ messages: [message('5.1', { threadTs: '5.1' })] })
  expect(channelMessages(own, 'C0DEPLOYS', 'U0BOB')).toHaveLength(1)
})
test('own messages and messages already read are not unread', () => {
  expect(texts(unreadMessages(state, 'C0DEPLOYS', 'U0ALICE', '1000.000002'))).toEqual(['loud reply', 'for Alice'])
  expect(texts(unreadMessages(state, 'C0DEPLOYS', 'U0ALICE', '0'))).toEqual(['root', 'loud reply', 'for Alice'])
})
test('a person sees the channels he is in and his own direct messages', () => {
  expect(visibleChannels(state, 'U0ALICE').map(({ id }) => id)).toEqual(['C0DEPLOYS'])
  expect(visibleChannels(state, 'U0BOB').map(({ id }) => id)).toEqual(['C0DEPLOYS', 'C0DBA', 'D0BOB'])
})
test('timestamps compare beyond what a double holds', () => {
  expect(compareTs('1795165200.000001', '1795165200.000002')).toBeLessThan(0)
  expect(compareTs('999.9', '1000.1')).toBeLessThan(0)
  expect(compareTs('1000.1', '1000.1')).toBe(0)
})
test('commands are suggested while the first word is typed', () => {
  const names = (draft: string): readonly string[] => suggestCommands(state.commands, draft).map(({ command }) => command)
  expect(names('/')).toEqual(['/migrate', '/maintenance'])
  expect(names('/MI')).toEqual(['/migrate'])
  expect(names('/migrate ')).toEqual([])
  expect(names('see /migrate')).toEqual([])
})
