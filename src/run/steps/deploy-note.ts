import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { writeWhole } from '../../lib/durable-file.ts'

/** What a deploy step leaves for whoever takes the run over. */
export type Note = z.infer<typeof note>

const note = z.discriminatedUnion('state', [
  z.object({ state: z.literal('started'), pid: z.int().nullable() }),
  z.object({
    state: z.literal('ended'),
    /** Null when it succeeded; otherwise the sentence that says why not. */
    why: z.string().nullable(),
    excerpt: z.string(),
    tail: z.string(),
    durationMs: z.number(),
    how: z.enum(['exited', 'timed-out', 'aborted', 'not-started']),
  }),
])

/** Null when the step has never been started. A note that cannot be read is a fault: it must not look like "never started". */
export async function readNote(file: string): Promise<Note | null> {
  try {
    return note.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new Error(`The note ${file} about a deploy step cannot be read`, { cause: error })
  }
}

/** On the disk before this returns, whole or not at all. */
export const writeNote = (file: string, content: Note): Promise<void> => writeWhole(file, JSON.stringify(content))
