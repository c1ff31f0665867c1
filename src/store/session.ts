import type { QueryResultRow } from 'pg'
import { clientThatNotices } from './client.ts'
import { READABLE, type Queries } from './pool.ts'

/** One connection of its own, for session locks. `onLost` is called once when it breaks, never when it is closed on purpose. */
export type Session = Queries & {
  /** Calls `heard` for each `notify` on this channel, as long as the session lives. `before` stands in front of the statement. */
  readonly listen: (channel: string, heard: () => void, before?: string) => Promise<void>
  readonly close: () => Promise<void>
}

/** Keepalives notice a peer that vanished within about 10 s; a lock on such a session is worth no more than that. */
const KEEPALIVE = 'set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3; set tcp_user_timeout = 10000'

/** A session is asked again and again whether it still lives, so a silence says more than in a pool. */
const SILENCE_MS = 5_000

export async function openSession(url: string, applicationName: string, onLost: (error: Error) => void): Promise<Session> {
  const client = new (clientThatNotices(SILENCE_MS))({
    connectionString: url,
    options: READABLE,
    application_name: applicationName,
    keepAlive: true,
    connectionTimeoutMillis: 5_000,
  })
  let isOpen = true
  const lost = (error: Error) => {
    if (!isOpen) return
    isOpen = false
    onLost(error)
  }
  client.on('error', lost)
  client.on('end', () => lost(new Error('the connection was closed by the server')))
  try {
    await client.connect()
    await client.query(KEEPALIVE)
  } catch (error) {
    // it never was a session, so there is none to lose: whoever asked is told by this fault alone
    isOpen = false
    void client.end().catch(() => {})
    throw error
  }
  return {
    query: async <Row extends object>(sql: string, values: readonly unknown[] = []) =>
      (await client.query<Row & QueryResultRow>(sql, [...values])).rows,
    async listen(channel, heard, before = '') {
      client.on('notification', (notification) => {
        if (notification.channel === channel) heard()
      })
      await client.query(`${before} listen ${channel}`)
    },
    async close() {
      isOpen = false
      await client.end()
    },
  }
}
