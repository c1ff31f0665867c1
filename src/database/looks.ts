import { connectTarget, explainLoss, readUrl, TargetConnectionError, type Queryable, type TargetConnection } from './connect.ts'
import type { TargetUrl } from './urls.ts'

/** One look at the target. Throws TargetConnectionError when there is no session or it is lost; other faults pass through. */
export type Look = <T>(ask: (client: Queryable, url: TargetUrl) => Promise<T>) => Promise<T>

/**
 * Several looks by one session, which the first one opens and, when it was lost, the next one anew. A server that did not let it in is not
 * asked again: every look fails alike.
 */
export async function withLooks<T>(connection: TargetConnection, work: (look: Look) => Promise<T>): Promise<T> {
  let session: ReturnType<typeof connectTarget> | undefined
  const look: Look = async (ask) => {
    session ??= connectTarget(connection)
    const used = session
    const client = await used
    try {
      return await ask(client, readUrl(connection.url))
    } catch (error) {
      connection.signal?.throwIfAborted()
      const explained = explainLoss(error, connection.url)
      if (explained instanceof TargetConnectionError && session === used) session = undefined
      throw explained
    }
  }
  const close = async () => {
    const client = await session?.catch(() => undefined)
    await client?.end().catch(() => {}) // a session that is gone has ended already
  }
  const abort = () => void close() // the look under way sees its query fail
  connection.signal?.addEventListener('abort', abort, { once: true })
  try {
    return await work(look)
  } finally {
    connection.signal?.removeEventListener('abort', abort)
    await close()
  }
}
