import { connect, createServer, type Server, type Socket } from 'node:net'
import { completed, framer, startupParameters, statementOf, type WireMessage } from './wire.ts'

/** Which connections a fault befalls, by the application name that they gave; all when left out. */
export type Which = RegExp

/** Puts right what a fault did. Connections that it broke stay broken. */
export type Heal = () => Promise<void>

/**
 * What happens to a commit. `lost order`: the server never hears of it. `lost answer`: it is carried out and the connection breaks before
 * the client hears so. `late answer`: the client hears of it so much later.
 */
export type CommitFault = 'lost order' | 'lost answer' | { readonly lateByMs: number }

/** A TCP proxy before one PostgreSQL that misbehaves on demand. On loopback only. */
export type Proxy = {
  readonly port: number
  /** The same URL, by way of this proxy. */
  readonly through: (url: string) => string
  /** Another server from now on; connections that exist stay where they are. */
  readonly pointTo: (url: string) => void
  /** Nobody listens (ECONNREFUSED), and what is open breaks. */
  readonly refuse: () => Promise<Heal>
  /** Open connections break, as by a reset; how many did. */
  readonly cut: (which?: Which) => number
  /** Open connections and new ones swallow everything without a word, as when a firewall forgot them. Those never work again. */
  readonly halfOpen: (which?: Which) => Heal
  /** Each message of the server takes that much longer. */
  readonly delay: (ms: number, which?: Which) => Heal
  /** The next commits, one unless said. `hits` says how many it befell so far. */
  readonly onCommit: (
    fault: CommitFault,
    options?: { readonly times?: number; readonly which?: Which },
  ) => {
    readonly hits: () => number
    readonly disarm: () => void
  }
  /** Application names of what is open. */
  readonly open: () => readonly string[]
  readonly close: () => Promise<void>
}

type Connection = {
  name: string
  readonly client: Socket
  readonly server: Socket
  isSwallowed: boolean
}

export async function startProxy(url: string): Promise<Proxy> {
  let upstream = addressOf(url)
  const connections = new Set<Connection>()
  const commits: { fault: CommitFault; left: number; which: Which; hits: number }[] = []
  let swallowed: Which | undefined
  let delayed: { readonly ms: number; readonly which: Which } | undefined

  const server = createServer((client) => {
    const connection: Connection = { name: '', client, server: connect(upstream), isSwallowed: swallowed?.test('') === true }
    connections.add(connection)
    const end = () => {
      connections.delete(connection)
      client.destroy()
      connection.server.destroy()
    }
    client.setNoDelay(true)
    connection.server.setNoDelay(true)
    const answers = orderly((bytes) => void (client.destroyed || client.write(bytes)))
    const [fromClient, fromServer] = [framer('client'), framer('server')]
    let isRaw = false
    client.on('data', (chunk: Buffer) => {
      if (connection.isSwallowed) return
      if (isRaw) return void connection.server.write(chunk)
      for (const message of fromClient.feed(chunk)) {
        if (message.type === 'startup') {
          connection.name = startupParameters(message)['application_name'] ?? ''
          connection.isSwallowed = swallowed?.test(connection.name) === true
        }
        if (connection.isSwallowed) return
        if (message.type === 'ask tls') fromServer.expectTlsAnswer()
        if (message.type === 'cancel') isRaw = true
        if (isCommit(message) && armed(connection.name, 'lost order') !== undefined) return end()
        connection.server.write(message.bytes)
      }
    })
    connection.server.on('data', (chunk: Buffer) => {
      if (connection.isSwallowed) return
      if (isRaw) return answers.send(chunk, 0)
      for (const message of fromServer.feed(chunk)) {
        if (message.type === 'tls' && message.bytes.toString() !== 'N') isRaw = true
        const late = delayed?.which.test(connection.name) === true ? delayed.ms : 0
        if (completed(message) !== 'COMMIT') {
          answers.send(message.bytes, late)
          continue
        }
        const fault = armed(connection.name, 'an answer')
        if (fault === 'lost answer') return end()
        answers.send(message.bytes, late + (typeof fault === 'object' ? fault.lateByMs : 0))
      }
    })
    for (const socket of [client, connection.server]) {
      socket.on('error', end)
      socket.on('close', () => {
        // a peer of a swallowed connection never learns that the other one has gone
        if (!connection.isSwallowed) end()
      })
    }
  })

  function armed(name: string, what: 'lost order' | 'an answer'): CommitFault | undefined {
    const entry = commits.find(
      ({ fault, left, which }) => left > 0 && which.test(name) && (fault === 'lost order') === (what === 'lost order'),
    )
    if (entry === undefined) return undefined
    entry.left -= 1
    entry.hits += 1
    return entry.fault
  }

  const port = await listen(server, 0)
  return {
    port,
    through(url) {
      const other = new URL(url)
      other.hostname = '127.0.0.1'
      other.port = String(port)
      return other.href
    },
    pointTo: (url) => void (upstream = addressOf(url)),
    async refuse() {
      const closed = new Promise<void>((done) => server.close(() => done()))
      for (const { client } of connections) client.resetAndDestroy()
      await closed
      return async () => void (await listen(server, port))
    },
    cut(which = ALL) {
      const hit = [...connections].filter(({ name }) => which.test(name))
      for (const { client } of hit) client.resetAndDestroy()
      return hit.length
    },
    halfOpen(which = ALL) {
      swallowed = which
      for (const connection of connections) if (which.test(connection.name)) connection.isSwallowed = true
      return async () => void (swallowed = undefined)
    },
    delay(ms, which = ALL) {
      delayed = { ms, which }
      return async () => void (delayed = undefined)
    },
    onCommit(fault, { times = 1, which = ALL } = {}) {
      const entry = { fault, left: times, which, hits: 0 }
      commits.push(entry)
      return { hits: () => entry.hits, disarm: () => void (entry.left = 0) }
    },
    open: () => [...connections].filter(({ isSwallowed }) => !isSwallowed).map(({ name }) => name),
    async close() {
      for (const { client, server } of connections) {
        client.destroy()
        server.destroy()
      }
      if (server.listening) await new Promise<void>((done) => server.close(() => done()))
    },
  }
}

const ALL = /(?:)/

const addressOf = (url: string) => {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}

const isCommit = (message: WireMessage): boolean => /^\s*commit\b/i.test(statementOf(message) ?? '')

/** Writes in order, each part so many milliseconds after it came and never before an earlier one. */
function orderly(write: (bytes: Buffer) => void) {
  let before: Promise<void> | undefined
  return {
    send(bytes: Buffer, ms: number) {
      if (before === undefined && ms === 0) return write(bytes)
      const due = new Promise<void>((done) => setTimeout(done, ms))
      const mine: Promise<void> = (before ?? Promise.resolve())
        .then(() => due)
        .then(() => {
          write(bytes)
          if (before === mine) before = undefined
        })
      before = mine
    },
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((done, failed) => {
    server.once('error', failed)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', failed)
      const address = server.address()
      if (typeof address === 'object' && address !== null) done(address.port)
      else failed(new Error('the proxy has no port'))
    })
  })
}
