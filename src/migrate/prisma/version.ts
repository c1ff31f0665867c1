import { join } from 'node:path'
import { z } from 'zod'
import { readJson, writeWhole } from '../attempts/files.ts'
import type { ToolVersion } from './tool.ts'

/** What the tool said about itself before it was first started, kept beside the attempts: nobody has to start it again to ask. */
export const keepVersion = (base: string, tool: ToolVersion): void => writeWhole(join(base, FILE), JSON.stringify(tool))

/** Null when it was never asked here: the run may have begun on another machine. */
export function keptVersion(base: string): ToolVersion | null {
  const found = readJson(join(base, FILE))
  return found === null ? null : shape.parse(found)
}

const FILE = 'version.json'

const shape = z.strictObject({
  version: z.string(),
  major: z.int(),
  engine: z.enum(['native', 'wasm', 'unknown']),
  atomic: z.boolean(),
})
