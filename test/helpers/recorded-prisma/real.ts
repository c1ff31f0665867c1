import { spawnSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import Module from 'node:module'
import { placed } from './placed.ts'

/** Goes on as the real CLI. */
export function runReal(): void {
  const { real, mayAskReal } = placed()
  if (!mayAskReal) {
    process.stderr.write('The recorded Prisma does not know this.\n')
    process.exit(70)
  }
  count()
  process.argv[1] = real
  Module.runMain() // as the main module of this process, which the CLI asks for
}

export type Chunk = readonly ['out' | 'err', string]
export type Answer = { readonly exitCode: number; readonly chunks: readonly Chunk[] }

/** The real CLI in a process of its own, with what it wrote to which stream in the order of writing. */
export function askReal(): Answer {
  count()
  const { tap, real } = placed()
  const end = spawnSync(process.execPath, ['--require', tap, real, ...process.argv.slice(2)], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  })
  const lines = (end.output[3] ?? '').split('\n').filter((line) => line !== '')
  return { exitCode: end.status ?? 70, chunks: lines.map((line) => JSON.parse(line) as Chunk) }
}

function count(): void {
  const { starts, test } = placed()
  appendFileSync(starts, `${[test, ...process.argv.slice(2, 5)].join(' ')}\n`)
}
