import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { copyTree, isDirectory, modulesBelow } from './copies.ts'

export type Spare = {
  /** Lays one ready if there is none; does not wait for it. */
  readonly lay: () => void
  readonly stop: () => Promise<void>
}

/**
 * A second copy of the installation that was used last, made while people read a plan: a run that needs just this one moves it into its
 * checkout, where copying would take seconds. Nothing in it is executed before that.
 */
export function keepSpare(cache: string, onFault: (error: Error) => void): Spare {
  const stopping = new AbortController()
  const lay = () => laySpare(cache, stopping.signal).catch((error: Error) => (stopping.signal.aborted ? undefined : onFault(error)))
  return {
    lay: () => void lay(),
    async stop() {
      stopping.abort()
      await laying.get(cache)
    },
  }
}

const laying = new Map<string, Promise<void>>()

export async function laySpare(cache: string, signal?: AbortSignal): Promise<void> {
  if (laying.has(cache)) return
  const work = copyLastUsed(cache, signal)
  laying.set(
    cache,
    work.catch(() => {}),
  )
  await work.finally(() => laying.delete(cache))
}

/** False when there is none that can be moved there. Whoever renames it first has it. */
export async function takeSpare(cache: string, key: string, into: string): Promise<boolean> {
  await laying.get(cache) // sooner there than another copy
  const mine = join(cache, `.taken-${randomBytes(6).toString('hex')}`)
  try {
    await rename(spareOf(cache, key), mine)
    const places = await modulesBelow(mine)
    for (const place of places) {
      await rm(join(into, place), { recursive: true, force: true }) // also a link that the repository may hold there
      await mkdir(dirname(join(into, place)), { recursive: true })
      await rename(join(mine, place), join(into, place))
    }
    return places.length > 0
  } catch {
    return false // it is copied then, which says what is wrong
  } finally {
    await rm(mine, { recursive: true, force: true })
  }
}

export const isSpare = (name: string): boolean => name.startsWith(SPARE)

/** All but those of these installations. */
export async function removeSpares(cache: string, kept: readonly string[]): Promise<void> {
  const names = new Set(kept.map((key) => `${SPARE}${key}`))
  for (const name of await readdir(cache))
    if (isSpare(name) && !names.has(name)) await rm(join(cache, name), { recursive: true, force: true })
}

const SPARE = '.spare-'
const spareOf = (cache: string, key: string): string => join(cache, `${SPARE}${key}`)

async function copyLastUsed(cache: string, signal?: AbortSignal): Promise<void> {
  const key = await lastUsed(cache)
  if (key === undefined) return
  await removeSpares(cache, [key])
  if (await isDirectory(spareOf(cache, key))) return
  const partial = join(cache, `.partial-${randomBytes(6).toString('hex')}`)
  try {
    for (const place of await modulesBelow(join(cache, key))) await copyTree(join(cache, key, place), join(partial, place), signal)
    // pruned while it was copied, it may lack something
    if (await isDirectory(join(cache, key))) await rename(partial, spareOf(cache, key))
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}

async function lastUsed(cache: string): Promise<string | undefined> {
  const names = (await readdir(cache).catch(() => [])).filter((name) => !name.startsWith('.'))
  const used = await Promise.all(names.map(async (name) => ({ name, at: (await stat(join(cache, name)).catch(() => null))?.mtimeMs ?? 0 })))
  return used.toSorted((a, b) => b.at - a.at)[0]?.name
}
