/** Troubles on demand. Each is used `times` times (once unless said), or until it is cleared. */
export type Fault = {
  /** Web API methods that it befalls; all of them, uploads and Socket Mode's door as well, when left out. */
  readonly methods?: readonly string[]
  readonly times?: number
  readonly untilCleared?: true
} & (
  | { readonly kind: 'outage'; readonly how?: 'http_500' | 'connection_cut' }
  | { readonly kind: 'ratelimited'; readonly retryAfter: number }
  /** The call is carried out, then the connection is cut before the answer. */
  | { readonly kind: 'lost-reply' }
  | { readonly kind: 'error'; readonly error: string }
  /** The call is carried out, and its answer comes so much later. */
  | { readonly kind: 'slow'; readonly ms: number }
)

export type Faults = {
  readonly add: (fault: Fault) => { readonly clear: () => void }
  readonly clear: () => void
  /** The fault that befalls this call, which is used up by asking. */
  readonly take: (method: string) => Fault | null
  /** What is going on, for people: the kind of the first fault that lasts. */
  readonly lasting: () => string | null
}

/** How uploads, Socket Mode's door and response URLs are named among methods. */
export const UPLOAD = 'upload'
export const SOCKET = 'socket'
export const RESPONSE_URL = 'response_url'

export function createFaults(changed: () => void): Faults {
  const active: { readonly fault: Fault; left: number }[] = []
  const remove = (entry: (typeof active)[number]): void => {
    const index = active.indexOf(entry)
    if (index >= 0) active.splice(index, 1)
    changed()
  }
  return {
    add: (fault) => {
      const entry = { fault, left: fault.untilCleared ? Number.POSITIVE_INFINITY : (fault.times ?? 1) }
      active.push(entry)
      changed()
      return { clear: () => remove(entry) }
    },
    clear: () => {
      active.length = 0
      changed()
    },
    take: (method) => {
      const entry = active.find(({ fault }) =>
        fault.methods ? fault.methods.includes(method) : method !== SOCKET || fault.kind === 'outage',
      )
      if (!entry) return null
      entry.left -= 1
      if (entry.left <= 0) remove(entry)
      return entry.fault
    },
    lasting: () => active.find(({ fault }) => fault.untilCleared)?.fault.kind ?? null,
  }
}
