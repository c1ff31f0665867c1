import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { CHANNEL, startFlow, type Flow } from '../helpers/flow.ts'
import { until } from '../helpers/until.ts'
import { announcementOf, setClock, settled, windowText } from '../helpers/windows.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

let flow: Flow

beforeAll(async () => {
  flow = await startFlow({
    pending: 1,
    target: () => ({ timezone: 'America/New_York', windows: { notices: ['1h'], during: '1h', standby: true } }),
    settings: {
      freezes: [
        {
          name: 'Year end',
          reason: 'The books are closed',
          targets: ['prod'],
          from: '2026-12-10 00:00',
          until: '2026-12-12 00:00',
          timezone: 'UTC',
        },
      ],
    },
  })
  await setClock(flow.store, '2026-12-06T12:00:00Z')
})
afterAll(() => flow?.close())

const homeOf = (person: string): string => windowText(flow.slack.home(person)?.view ?? { text: 'nothing yet' })
/** What is planned, as `person` sees it; and what is asked for is there at last. */
const planned = async (person: string, shows: (text: string) => boolean): Promise<string> => {
  await until(`the Home of ${person} shows it`, () => shows(homeOf(person))).catch((error: unknown) => {
    throw new Error(homeOf(person), { cause: error })
  })
  const [, calendar = ''] = homeOf(person).split('Nothing is under way.\n')
  return calendar.split('\nLast runs')[0] ?? ''
}
const maintenance = (text: string, person?: string) => flow.answer(`/maintenance ${text}`, person)

test('whoever has Home open sees a window as soon as it is scheduled, and each change of it', async () => {
  await flow.slack.as('U0BOB').home()
  expect(await planned('U0BOB', (text) => text.includes('Maintenance windows'))).toMatchInlineSnapshot(`
    "Freezes and locks
    • *Production* will be frozen from {time} until {time} · “Year end”
    Maintenance windows, next 14 days
    None is planned. \`/maintenance schedule\` plans one."
  `)
  await maintenance('schedule prod "2026-12-08 02:00" 2h "Dropping the legacy price columns"')
  expect(await planned('U0BOB', (text) => text.includes('Dropping') && text.includes('[Open]'))).toMatchInlineSnapshot(`
    "Freezes and locks
    • *Production* will be frozen from {time} until {time} · “Year end”
    Maintenance windows, next 14 days
    *Tue 8 Dec*
    *{time} to {time}* · Production · 2 h
    Dropping the legacy price columns
    #1 · Tue 8 Dec 02:00 to 04:00 America/New_York · owner <@U0ALICE> · *nobody stands by yet*
    [Open]"
  `)
  await settled(flow.store)
  const { ts } = announcementOf(flow, CHANNEL, 1)
  await flow.slack.as('U0CAROL').click({ channel: CHANNEL, ts }, 'window_standby')
  expect(await planned('U0BOB', (text) => text.includes('<@U0CAROL> stands by'))).toContain('<@U0CAROL> stands by')
  await maintenance('reschedule 1 "2026-12-09 03:00"')
  expect(await planned('U0BOB', (text) => text.includes('Wed 9 Dec'))).toMatchInlineSnapshot(`
    "Freezes and locks
    • *Production* will be frozen from {time} until {time} · “Year end”
    Maintenance windows, next 14 days
    *Wed 9 Dec*
    *{time} to {time}* · Production · 2 h
    Dropping the legacy price columns
    #1 · Wed 9 Dec 03:00 to 05:00 America/New_York · owner <@U0ALICE> · *nobody stands by yet*
    [Open]"
  `)
})

test('a freeze is shown when it is set, and is gone when its time has passed, by the clock alone', async () => {
  await flow.answer('freeze prod until 2026-12-06 18:00 The disk is being changed')
  expect(await planned('U0BOB', (text) => text.includes('The disk'))).toMatchInlineSnapshot(`
    "Freezes and locks
    • *Production* is frozen until {time} · “The disk is being changed” · <@U0ALICE>
    • *Production* will be frozen from {time} until {time} · “Year end”
    Maintenance windows, next 14 days
    *Wed 9 Dec*
    *{time} to {time}* · Production · 2 h
    Dropping the legacy price columns
    #1 · Wed 9 Dec 03:00 to 05:00 America/New_York · owner <@U0ALICE> · *nobody stands by yet*
    [Open]"
  `)
  await setClock(flow.store, '2026-12-06T23:00:01Z')
  expect(await planned('U0BOB', (text) => !text.includes('The disk'))).not.toContain('The disk')
})

test('a freeze of the configuration begins and ends by the clock alone', async () => {
  await setClock(flow.store, '2026-12-10T00:00:01Z')
  expect(await planned('U0BOB', (text) => text.includes('is frozen until'))).toMatchInlineSnapshot(`
    "Freezes and locks
    • *Production* is frozen until {time} · “Year end”
    Maintenance windows, next 14 days
    None is planned. \`/maintenance schedule\` plans one."
  `)
  await setClock(flow.store, '2026-12-12T00:00:01Z')
  expect(await planned('U0BOB', (text) => !text.includes('Freezes and locks'))).not.toContain('Year end')
})

test('what nobody changes is not sent again, and whoever never opened Home gets none', async () => {
  const sent = () => flow.slack.calls('views.publish').length
  const before = sent()
  await flow.store.query(`update lockkeeper.home_drawn set mark = null, lease = '-infinity'`)
  await until('the Homes were looked at again', async () => {
    const [row] = await flow.store.query<{ done: boolean }>('select mark is not null as done from lockkeeper.home_drawn')
    return row?.done === true
  })
  expect(sent()).toBe(before)
  expect(flow.slack.home('U0ALICE')).toBeNull()
})
