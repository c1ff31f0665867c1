import { connectTarget, TargetConnectionError, type Queryable, type TargetConnection } from '../database/connect.ts'

/** A second connection to the target that is made again when it was lost. */
export type Observer = {
  /** Throws TargetConnectionError when the database does not answer. */
  readonly look: <T>(work: (client: Queryable) => Promise<T>) => Promise<T>
  /** Like `look`, but null when the database does not answer. */
  readonly glance: <T>(work: (client: Queryable) => Promise<T>) => Promise<T | null>
}

export async function withObserver<T>(connection: TargetConnection, work: (observer: Observer) => Promise<T>): Promise<T> {
  let client: Awaited<ReturnType<typeof connectTarget>> | null = null
  const drop = async () => {
    const old = client
    client = null
    await old?.end().catch(() => {}) // a lost session has ended already
  }
  const look: Observer['look'] = async (ask) => {
    if (client === null) {
      const opened = await connectTarget(connection)
      opened.on('error', () => void drop())
      opened.on('end', () => {
        if (client === opened) client = null
      })
      client = opened
    }
    const used = client
    try {
      return await ask(used)
    } catch (error) {
      if (client === used && !isStatementFault(error)) await drop()
      if (client === null && !(error instanceof TargetConnectionError) && !isStatementFault(error))
        throw new TargetConnectionError('lost', 'The connection to the database was lost.', error)
      throw error
    }
  }
  const glance: Observer['glance'] = async (ask) => {
    try {
      return await look(ask)
    } catch (error) {
      if (error instanceof TargetConnectionError || !isStatementFault(error)) return null
      throw error
    }
  }
  try {
    return await work({ look, glance })
  } finally {
    await drop()
  }
}

/** The server answered, so the session lives; class 57 and 08 are the server ending it. */
const isStatementFault = (error: unknown): boolean =>
  typeof error === 'object' &&
  error !== null &&
  'code' in error &&
  typeof error.code === 'string' &&
  /^[0-9A-Z]{5}$/.test(error.code) &&
  !/^(57P|08)/.test(error.code)
