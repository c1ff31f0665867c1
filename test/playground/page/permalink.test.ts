import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parsePermalink } from '../../../playground/page/permalink.ts'

const ORIGIN = 'http://127.0.0.1:4000'

test('a permalink names its message, and the thread of a reply', () => {
  expect(parsePermalink(`${ORIGIN}/archives/C0DEPLOYS/p1795165200000100`, ORIGIN)).toEqual({
    channel: 'C0DEPLOYS',
    ts: '1795165200.000100',
    threadTs: null,
  })
  expect(parsePermalink('/archives/D0BOB/p1795165200000100?thread_ts=1795165100.000200&cid=D0BOB', ORIGIN)).toEqual({
    channel: 'D0BOB',
    ts: '1795165200.000100',
    threadTs: '1795165100.000200',
  })
})
test('a parent that names itself as its thread stands in the channel', () => {
  expect(parsePermalink('/archives/C0/p1795165200000100?thread_ts=1795165200.000100', ORIGIN)?.threadTs).toBeNull()
})
test('links to elsewhere are not messages here', () => {
  for (const address of [
    'https://shop.slack.com/archives/C0DEPLOYS/p1795165200000100',
    '/archives/C0DEPLOYS',
    '/',
    'javascript:alert(1)',
    '//',
  ])
    expect(parsePermalink(address, ORIGIN)).toBeNull()
})
test('no address makes it throw', () => {
  fc.assert(fc.property(fc.string(), (address) => void parsePermalink(address, ORIGIN)))
})
