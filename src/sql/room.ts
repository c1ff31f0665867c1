import { createdTables } from './new-tables.ts'
import { readScript } from './parse.ts'
import type { Room } from './effects/effect.ts'
import { loadParser } from './effects/parser.ts'
import { createEffectsReader } from './effects/reader/reader.ts'

export type RoomTaken = Room & { readonly file: string }

/** What the files write beside what is there, of tables that they do not create themselves; null when one of them could not be read. */
export async function roomTaken(
  files: readonly { readonly name: string; readonly content: Buffer }[],
  schema: string,
): Promise<readonly RoomTaken[] | null> {
  const parser = await loadParser()
  const reader = createEffectsReader(parser, { schema })
  const created = createdTables({ sizes: [], schema })
  const taken: RoomTaken[] = []
  for (const { name: file, content } of files) {
    const script = await readScript(content)
    if (script.kind === 'unreadable') return null
    reader.beginsFile()
    for (const [at, node] of script.statements.entries()) {
      const text = script.texts[at] ?? ''
      created.passing(node, text)
      for (const effect of reader.read(node, text)) {
        created.learn(effect)
        const { room } = effect
        if (room !== undefined && (room.table === null || !created.isNew(room.table, 'additive'))) taken.push({ ...room, file })
      }
    }
  }
  return taken
}
