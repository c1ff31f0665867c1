import { mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { writeWhole } from '../lib/durable-file.ts'
import type { Head } from './chain.ts'

/** The newest row that this machine has seen, and of which store. */
export type Witnessed = Head & { readonly store: string }

/** A small file outside of the store, so that a store that was set back cannot set it back too. */
export type Witness = {
  /** Null when there is none yet, or what is there is no witness. */
  readonly read: () => Witnessed | null
  /** On the disk when it resolves. */
  readonly write: (seen: Witnessed) => Promise<void>
}

export const witnessPath = (varDirectory: string): string => join(varDirectory, 'audit-witness.json')

export function openWitness(path: string): Witness {
  let known: Witnessed | undefined
  return {
    read: () => readWitness(path),
    async write(seen) {
      if (known !== undefined && known.store === seen.store && known.seq === seen.seq && known.hash === seen.hash) return
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      await writeWhole(path, `${JSON.stringify(seen)}\n`)
      known = seen
    },
  }
}

function readWitness(path: string): Witnessed | null {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  try {
    const { store, seq, hash } = JSON.parse(text) as Partial<Record<keyof Witnessed, unknown>>
    return typeof store === 'string' && typeof seq === 'number' && typeof hash === 'string' ? { store, seq, hash } : null
  } catch {
    return null
  }
}
