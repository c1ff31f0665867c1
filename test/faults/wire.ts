/** One message of PostgreSQL's protocol: its type byte (none in the first messages of a client) and all of its bytes. */
export type WireMessage = { readonly type: string; readonly bytes: Buffer }

/** Cuts a stream of PostgreSQL's protocol into whole messages. */
export function framer(side: 'client' | 'server') {
  let rest: Buffer = Buffer.alloc(0)
  let isStarting = side === 'client'
  let awaitsTlsAnswer = false
  return {
    /** The server answers a question for TLS with a single byte. */
    expectTlsAnswer: () => void (awaitsTlsAnswer = true),
    feed(chunk: Buffer): readonly WireMessage[] {
      rest = Buffer.concat([rest, chunk])
      const messages: WireMessage[] = []
      for (;;) {
        const size = sizeOf(rest, awaitsTlsAnswer, isStarting)
        if (size === undefined || rest.length < size) return messages
        const bytes = rest.subarray(0, size)
        rest = rest.subarray(size)
        if (awaitsTlsAnswer) {
          awaitsTlsAnswer = false
          messages.push({ type: 'tls', bytes })
        } else if (isStarting) {
          const code = bytes.readInt32BE(4)
          isStarting = code === TLS_REQUEST || code === GSS_REQUEST
          messages.push({ type: isStarting ? 'ask tls' : code === CANCEL_REQUEST ? 'cancel' : 'startup', bytes })
        } else messages.push({ type: String.fromCharCode(bytes[0] ?? 0), bytes })
      }
    },
  }
}

/** `application_name` and the like, from a startup message. */
export function startupParameters({ bytes }: WireMessage): Readonly<Record<string, string>> {
  const parts = bytes.subarray(8).toString('utf8').split('\0')
  const pairs: [string, string][] = []
  for (let at = 0; at + 1 < parts.length && parts[at] !== ''; at += 2) pairs.push([parts[at] ?? '', parts[at + 1] ?? ''])
  return Object.fromEntries(pairs)
}

/** What the server says when a command is complete: `COMMIT`, `INSERT 0 1`. */
export const completed = ({ type, bytes }: WireMessage): string | undefined =>
  type === 'C' ? bytes.subarray(5, -1).toString('utf8') : undefined

/** The text of a simple query or of a statement that is prepared. */
export function statementOf({ type, bytes }: WireMessage): string | undefined {
  if (type === 'Q') return bytes.subarray(5, -1).toString('utf8')
  if (type !== 'P') return undefined
  return bytes.subarray(5).toString('utf8').split('\0')[1]
}

const TLS_REQUEST = 80877103
const GSS_REQUEST = 80877104
const CANCEL_REQUEST = 80877102

function sizeOf(rest: Buffer, awaitsTlsAnswer: boolean, isStarting: boolean): number | undefined {
  if (awaitsTlsAnswer) return 1
  if (isStarting) return rest.length < 4 ? undefined : rest.readInt32BE(0)
  return rest.length < 5 ? undefined : 1 + rest.readInt32BE(1)
}
