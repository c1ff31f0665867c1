import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeWholeSync } from '../../../src/lib/durable-file.ts'
import { MAJORS, type Major } from '../../helpers/postgres-versions/installed.ts'
import { casesOf } from './cases.ts'
import type { Truth } from './happened.ts'

/** By the key of each case. */
export type Truths = Readonly<Record<string, Truth>>

const FILE = join(import.meta.dirname, 'happened.json')

/** By case, and in it by the majors of which it is true (`14 15`), or `all` that have it. */
type Kept = Readonly<Record<string, Readonly<Record<string, Truth>>>>

/** What is kept of this major; a statement that nobody has asked it yet is not there. */
export function recordedOf(major: Major): Truths {
  const of = (majors: string) => majors === 'all' || majors.split(' ').includes(String(major))
  const kept = read()
  return Object.fromEntries(
    casesOf(major).flatMap(({ key }) =>
      Object.entries(kept[key] ?? {}).flatMap(([majors, truth]) => (of(majors) ? [[key, truth] as const] : [])),
    ),
  )
}

/** Keeps what this major did, in place of what was kept of it. */
export function record(major: Major, truths: Truths): void {
  const all = new Map(MAJORS.map((one) => [one, one === major ? truths : recordedOf(one)]))
  const keys = [...new Set([...all.values()].flatMap((of) => Object.keys(of)))].toSorted()
  const lines = keys.map((key) => {
    const groups = Map.groupBy(
      MAJORS.filter((one) => all.get(one)?.[key] !== undefined),
      (one) => JSON.stringify(all.get(one)?.[key]),
    )
    const entries = [...groups].map(([truth, majors]) => `${JSON.stringify(groups.size === 1 ? 'all' : majors.join(' '))}:${truth}`)
    return `${JSON.stringify(key)}:{${entries.join(',')}}`
  })
  writeWholeSync(FILE, `{\n${lines.join(',\n')}\n}\n`)
}

function read(): Kept {
  try {
    return JSON.parse(readFileSync(FILE, 'utf8')) as Kept
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}
