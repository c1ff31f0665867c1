import { mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { writeWhole } from '../lib/durable-file.ts'
import type { Head } from './chain.ts'

/** The newest row that this machine has seen, and of which store. */
export type Checkpoint = Head & { readonly store: string }

/** A small file outside of the store, so that a store that was set back cannot set it back too. */
export type CheckpointFile = {
  /** Null when there is none yet, or what is there is no checkpoint. */
  readonly read: () => Checkpoint | null
  /** On the disk when it resolves. */
  readonly write: (checkpoint: Checkpoint) => Promise<void>
}

/** Named as it always was: bots of earlier versions left it on their machines. */
export const checkpointPath = (varDirectory: string): string => join(varDirectory, 'audit-witness.json')

export function openCheckpoint(path: string): CheckpointFile {
  let known: Checkpoint | undefined
  return {
    read: () => readCheckpoint(path),
    async write(checkpoint) {
      if (known !== undefined && known.store === checkpoint.store && known.seq === checkpoint.seq && known.hash === checkpoint.hash) return
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      await writeWhole(path, `${JSON.stringify(checkpoint)}\n`)
      known = checkpoint
    },
  }
}

function readCheckpoint(path: string): Checkpoint | null {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  try {
    const { store, seq, hash } = JSON.parse(text) as Partial<Record<keyof Checkpoint, unknown>>
    return typeof store === 'string' && typeof seq === 'number' && typeof hash === 'string' ? { store, seq, hash } : null
  } catch {
    return null
  }
}
