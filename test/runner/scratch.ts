import { mkdirSync } from 'node:fs'
import { delimiter, join, relative } from 'node:path'
import { expect, inject } from 'vitest'

/**
 * Each file of tests has a directory of its own for temporary files. Its name stands in the environment of whatever the file starts, also
 * of programs that are given hardly any: so what is left behind can be named with the file that left it.
 */
const file = relative(join(import.meta.dirname, '..'), expect.getState().testPath ?? 'unknown')
const directory = join(inject('scratch'), file.replace(/\.test\.tsx?$/, '').replaceAll('/', '-'))
mkdirSync(directory, { recursive: true, mode: 0o711 })
process.env['TMPDIR'] = directory
process.env['PATH'] = [process.env['PATH'], join(directory, 'bin')].join(delimiter)
