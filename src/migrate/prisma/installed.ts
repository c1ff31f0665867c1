import { closeSync, openSync, readFileSync, readSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import type { ToolVersion } from './tool.ts'

/** The version of the package whose program `cli` starts; null when it is not certain which that is, and only a start can tell. */
export function installedVersion(cli: string): ToolVersion | null {
  try {
    const program = programOf(cli)
    return program === null ? null : (versionAt(program, dirname(dirname(program))) ?? versionAt(program, dirname(program)))
  } catch {
    return null // a link to nowhere, a file that may not be read: its start will say so
  }
}

/** Native engines from 7.4 on are reported to send a file statement by statement; what is not known is not assumed to be atomic. */
export function versionOf(text: string): ToolVersion | null {
  const [, version, major, minor] = /^((\d+)\.(\d+)\.\S+)$/.exec(text) ?? []
  if (version === undefined) return null
  return { version, major: Number(major), atomic: Number(major) < 7 || (Number(major) === 7 && Number(minor) < 4) }
}

/** What the entry in `.bin` starts: a link leads to it; where a package manager writes a shell script instead, that names it. */
function programOf(cli: string): string | null {
  const path = realpathSync(cli)
  const text = headOf(path)
  if (!/^#!\s*\/bin\/sh\b/.test(text)) return path
  const named = new Set([...text.matchAll(/"\$basedir\/([^"]+\.[cm]?js)"/g)].map(([, name]) => name ?? ''))
  const [only] = named
  return named.size === 1 && only !== undefined ? realpathSync(join(dirname(cli), only)) : null
}

const shape = z.object({ name: z.literal('prisma'), version: z.string(), bin: z.object({ prisma: z.string() }) })

function versionAt(program: string, directory: string): ToolVersion | null {
  const read = readText(join(directory, 'package.json'))
  const parsed = read === null ? null : shape.safeParse(JSON.parse(read))
  if (parsed?.success !== true || realpathSync(join(directory, parsed.data.bin.prisma)) !== program) return null
  return versionOf(parsed.data.version)
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

/** Enough for a shell script of a package manager; the CLI itself has megabytes. */
function headOf(path: string): string {
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(8 * 1024)
    return bytes.toString('utf8', 0, readSync(file, bytes))
  } finally {
    closeSync(file)
  }
}
