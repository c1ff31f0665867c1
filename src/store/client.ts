import type { Socket } from 'node:net'
import pg from 'pg'

/**
 * A client that does not wait for ever. A peer that vanished without a word (a host that lost power, a firewall that forgot the connection)
 * looks like a slow one, for a quarter of an hour by the kernel's own rules. Here a query that has no answer after `silenceMs` breaks the
 * connection, which everybody above knows how to handle: the pool makes a new one and the work is tried again.
 */
export const clientThatNotices = (silenceMs: number): typeof pg.Client =>
  class extends pg.Client {
    // node-postgres offers `query` in a dozen forms; this one only looks at when its answer comes
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    override query(...args: readonly unknown[]): any {
      const timer = setTimeout(() => this.#giveUp(), silenceMs)
      const answered = () => clearTimeout(timer)
      const callback = args.at(-1)
      const passed =
        typeof callback !== 'function'
          ? args
          : [...args.slice(0, -1), (...result: readonly unknown[]) => (answered(), Reflect.apply(callback, undefined, result))]
      const result: unknown = Reflect.apply(super.query, this, passed)
      if (result instanceof Promise) result.then(answered, answered)
      else if (typeof callback !== 'function') answered() // a cursor or a copy: whoever reads it sees for himself
      return result
    }

    #giveUp(): void {
      const { connection } = this as unknown as { readonly connection?: { readonly stream?: Socket } } // not in its types
      connection?.stream?.destroy(Object.assign(new Error(`The store did not answer for ${silenceMs} ms`), { code: 'ETIMEDOUT' }))
    }
  }
