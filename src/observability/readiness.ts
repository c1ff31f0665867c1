import type { Clock } from '../lib/clock.ts'
import { inTime } from '../lib/in-time.ts'

/** One thing that has to hold before this process can serve. `text` says how it stands, in words. */
export type Part = { readonly name: PartName; readonly ok: boolean; readonly text: string }

type PartName = 'process' | 'store' | 'liveness' | 'slack' | 'audit'

export type Report = {
  readonly ready: boolean
  /** Why it is not ready; null when it is. */
  readonly reason: string | null
  readonly parts: readonly Part[]
}

export type Look = () => Promise<Omit<Part, 'name'>> | Omit<Part, 'name'>

export type Readiness = {
  /** Parts are added as they come up; until `up` the process says that it is starting. */
  readonly add: (name: PartName, look: Look) => void
  readonly up: () => void
  /** From now on it is not ready, whatever else holds. */
  readonly drain: () => void
  /** At most one look a second, and never two at once, however many ask. */
  readonly report: () => Promise<Report>
}

/** A probe gives up after a few seconds itself. */
const LOOK_MS = 2_000
const FRESH_MS = 1_000

export function createReadiness(clock: Clock): Readiness {
  const looks = new Map<PartName, Look>()
  let phase: keyof typeof phases = 'starting'
  let looking: Promise<readonly Part[]> | undefined
  let last: { readonly at: number; readonly parts: readonly Part[] } | undefined

  async function lookAtAll(): Promise<readonly Part[]> {
    const parts = await Promise.all([...looks].map(async ([name, look]) => ({ name, ...(await bounded(look)) })))
    last = { at: clock.now(), parts }
    looking = undefined
    return parts
  }

  return {
    add: (name, look) => {
      looks.set(name, look)
      last = undefined
    },
    up: () => void (phase = 'up'),
    drain: () => void (phase = 'draining'),
    async report() {
      const age = last === undefined ? undefined : clock.now() - last.at
      const parts = last !== undefined && age !== undefined && age >= 0 && age < FRESH_MS ? last.parts : await (looking ??= lookAtAll())
      const all: readonly Part[] = [{ name: 'process', ...phases[phase] }, ...parts]
      const wrong = all.filter(({ ok }) => !ok)
      return { ready: wrong.length === 0, reason: wrong.length === 0 ? null : wrong.map(({ text }) => text).join(' '), parts: all }
    },
  }
}

const phases = {
  starting: { ok: false, text: 'The process is starting.' },
  up: { ok: true, text: 'The process is up.' },
  draining: { ok: false, text: 'The process was asked to stop and takes nothing new.' },
} as const

/** What hangs is left to end by itself: the next look asks it again only then. */
async function bounded(look: Look): Promise<Omit<Part, 'name'>> {
  const answer = Promise.resolve()
    .then(look)
    .catch((error: Error) => ({ ok: false, text: sentence(error.message) }))
  const seen = await inTime(answer, LOOK_MS)
  return seen.kind === 'in time' ? seen.value : { ok: false, text: `No answer within ${LOOK_MS / 1000} s.` }
}

const sentence = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`)
