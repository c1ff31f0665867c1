import { lstat, mkdir, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { captureChild } from '../process.ts'
import { createRedactor } from '../redact.ts'

/** Every `node_modules` that is not inside another: workspaces have one each. */
export async function modulesBelow(root: string, directory = ''): Promise<string[]> {
  const entries = await readdir(join(root, directory), { withFileTypes: true }).catch(() => [])
  const found: string[] = []
  for (const entry of entries) {
    if (!entry.isDirectory() || entry.name === '.git') continue
    const path = join(directory, entry.name)
    if (entry.name === 'node_modules') found.push(path)
    else found.push(...(await modulesBelow(root, path)))
  }
  return found
}

/** The system's `cp`: measured five times as fast as Node's for many small files, and it clones where the file system can. */
export async function copyTree(from: string, to: string, signal?: AbortSignal): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  const end = await captureChild({
    argv: ['/bin/cp', '-a', from, to],
    cwd: dirname(to),
    env: {},
    redactor: createRedactor([]),
    ...(signal === undefined ? {} : { signal }),
  })
  if (end.exitCode !== 0) throw new Error(`${from} could not be copied to ${to}: ${end.stderr.trim().split('\n')[0]}`)
}

export const isDirectory = (path: string): Promise<boolean> =>
  lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
