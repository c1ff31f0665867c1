import { mkdirSync } from 'node:fs'
import { delimiter, join, relative } from 'node:path'
import { expect, inject } from 'vitest'
// as in the bot, a number of eight bytes is a number for every file, not only for those that come after one that loads this
import '../../src/store/pool.ts'

/**
 * Each file of tests has a directory of its own for temporary files. Its name stands in the environment of whatever the file starts, also
 * of programs that are given hardly any: so what is left behind can be named with the file that left it.
 */
const file = relative(join(import.meta.dirname, '..'), expect.getState().testPath ?? 'unknown')
const directory = join(inject('scratch'), file.replace(/\.test\.tsx?$/, '').replaceAll('/', '-'))
mkdirSync(directory, { recursive: true, mode: 0o711 })
process.env['TMPDIR'] = directory
// a process runs one file after another, and each adds its own directory to what the process was started with
process.env['PATH'] = [pathAtStart(), join(directory, 'bin')].join(delimiter)

function pathAtStart(): string | undefined {
  const kept = globalThis as { pathAtStart?: string | undefined }
  if (!('pathAtStart' in kept)) kept.pathAtStart = process.env['PATH']
  return kept.pathAtStart
}
