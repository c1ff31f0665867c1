import { mkdirSync, readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Head } from './chain.ts'

/** The newest row that this machine has seen, and of which store. */
export type Witnessed = Head & { readonly store: string }

/** A small file outside of the store, so that a store that was set back cannot set it back too. */
export type Witness = {
  /** Null when there is none yet, or what is there is no witness. */
  readonly read: () => Witnessed | null
  /** On the disk when it resolves: written beside, synced, and moved over the old one. */
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
      const beside = `${path}.${process.pid}`
      const file = await open(beside, 'w', 0o600)
      try {
        await file.writeFile(`${JSON.stringify(seen)}\n`)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(beside, path)
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
