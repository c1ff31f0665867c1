import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import { writeWholeSync } from '../../../src/lib/durable-file.ts'
import type { SetName, Step } from './generate.ts'

/** Migrations that the real Prisma wrote, by set. */
export type Corpus = Readonly<Record<SetName, readonly string[]>>

const file = (name: string) => join(import.meta.dirname, `${name}.json.br`)
const read = (name: string): unknown => JSON.parse(brotliDecompressSync(readFileSync(file(name))).toString('utf8'))

export const readCorpus = (): Corpus => read('corpus') as Corpus
export const readSteps = (): readonly Step[] => read('steps') as readonly Step[]

/** Give the size in bytes of what is kept. */
export const keepCorpus = (corpus: Corpus): number => keep('corpus', corpus)
export const keepSteps = (steps: readonly Step[]): number => keep('steps', steps)

function keep(name: string, what: Corpus | readonly Step[]): number {
  const params = { [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS }
  const compressed = brotliCompressSync(JSON.stringify(what), { params })
  writeWholeSync(file(name), compressed)
  return compressed.length
}
