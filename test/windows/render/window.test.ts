import { expect, test } from 'vitest'
import { drawWindow } from '../../../src/windows/render/window.ts'
import type { WindowRow, WindowState } from '../../../src/windows/window.ts'

const at = { startsAt: Date.UTC(2026, 11, 8, 7), endsAt: Date.UTC(2026, 11, 8, 9) }
const windowIn = (state: WindowState, planNo = 1): WindowRow => ({
  id: 7,
  token: 'w_7',
  name: null,
  targets: ['prod'],
  startsAt: new Date(at.startsAt),
  endsAt: new Date(at.endsAt),
  timezone: 'UTC',
  reason: 'upgrade',
  work: null,
  owner: 'U0ALICE',
  ownerHuman: 'U0ALICE',
  channels: ['C0DEPLOYS'],
  state,
  standby: null,
  standbyConfirmedAt: null,
  openedAt: null,
  closedAt: null,
  outcome: null,
  planNo,
  createdAt: new Date(0),
  revision: 1,
})

const stages = ['before:3600000', 'start', 'during:1', 'end']
const context = { titleOf: (name: string) => name, command: '/maintenance', needsStandby: () => false }

/** What is still posted of four notices that were decided while Slack was away. */
const postedIn = (state: WindowState, planNo?: number) =>
  drawWindow(
    {
      window: windowIn(state, planNo),
      notices: [],
      items: [],
      events: stages.map((stage, id) => ({
        id,
        windowId: 7,
        at: new Date(0),
        kind: 'notice' as const,
        data: { stage, planNo: 1, at, channels: ['C0DEPLOYS'], people: [] },
      })),
    },
    context,
  ).flatMap(({ key }) => (key.startsWith('window-event') ? [stages[Number(key.split(':')[1])]] : []))

test('after an outage of Slack what the next stage overtook is not posted any more', () => {
  expect(postedIn('scheduled')).toEqual(stages)
  expect(postedIn('open')).toEqual(['start', 'during:1', 'end'])
  expect(postedIn('completed')).toEqual(['end'])
  expect(postedIn('scheduled', 2)).toEqual(['start', 'during:1', 'end'])
})
