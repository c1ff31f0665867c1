import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { applicationPath } from './sample.ts'

export type CountingNode = {
  /** A search path for an application whose programs are to be counted. */
  readonly path: string
  /** The commands that the Prisma CLI was started with from here on, in order: `migrate deploy`. */
  readonly prisma: () => readonly string[]
}

/** A `node` in `directory` that writes down what it is started with, and is the real one otherwise. The CLI itself stays as installed. */
export function countingNode(directory: string): CountingNode {
  const log = join(directory, 'started')
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'node'), `#!/bin/sh\necho "$*" >> '${log}'\nexec '${process.execPath}' "$@"\n`)
  chmodSync(join(directory, 'node'), 0o755)
  const lines = () => (existsSync(log) ? readFileSync(log, 'utf8').split('\n') : [])
  return {
    path: [directory, applicationPath].join(delimiter),
    prisma: () =>
      lines().flatMap((line) => {
        const [, command] = /^\S*\/\.bin\/prisma (.*)$/.exec(line) ?? []
        return command === undefined ? [] : [command]
      }),
  }
}
