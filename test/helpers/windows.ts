import type { PlayMessage } from '../../playground/protocol.ts'
import type { Db } from '../../src/store/pool.ts'
import { readAloud, steady, type Flow } from './flow.ts'
import { patiently } from './until.ts'

/** From now on the store's clock says this, and goes on from there. */
export const setClock = (store: Db, iso: string): Promise<unknown> =>
  store.query(`update lockkeeper.store set clock_offset = $1::timestamptz - clock_timestamp()`, [iso])

/** Sets the clock forward and waits until everything that is due then is decided and stands in Slack. */
export async function passTo(flow: Pick<Flow, 'store'>, iso: string): Promise<void> {
  await setClock(flow.store, iso)
  await settled(flow.store)
}

export async function settled(store: Db): Promise<void> {
  await patiently('everything that is due is decided and drawn', async () => {
    const [row] = await store.query<{ settled: boolean }>(
      `select not exists (select from lockkeeper.notice where state = 'pending' and due_at <= lockkeeper.now())
         and not exists (select from lockkeeper.maintenance where drawn_revision < revision or draw_lease is not null or draw_after < 'infinity')
         and not exists (select from lockkeeper.bulletin where drawn_revision < revision or draw_lease is not null or draw_after < 'infinity') as settled`,
    )
    return row?.settled === true
  })
}

/** The announcements in a channel, the oldest first. */
export const announcements = (flow: Pick<Flow, 'slack'>, channel: string): readonly PlayMessage[] =>
  flow.slack.messages(channel).filter((message) => message.threadTs === null && readAloud(message).startsWith('Maintenance · '))

export const announcementOf = (flow: Pick<Flow, 'slack'>, channel: string, id: number): PlayMessage => {
  const found = announcements(flow, channel).find((message) => readAloud(message).includes(`show ${id}\``))
  if (found === undefined) throw new Error(`window ${id} is not announced in ${channel}`)
  return found
}

/** As people read it; durations stay, since they are what a notice is about. */
export const windowText = (message: unknown): string => readAloud(message).replace(/<!date\^\d+\^[^>]*>/g, '{time}')

export const threadOf = (flow: Pick<Flow, 'slack'>, channel: string, id: number): readonly string[] => {
  const { ts } = announcementOf(flow, channel, id)
  return flow.slack.thread(channel, ts).map((message) => `${message.broadcast ? '[channel] ' : ''}${steadyRuns(windowText(message))}`)
}

const steadyRuns = (text: string): string => (text.includes('*1 run*') || text.includes('runs*') ? steady(text, '/nowhere') : text)
