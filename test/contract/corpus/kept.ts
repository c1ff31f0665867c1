import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import { writeWholeSync } from '../../../src/lib/durable-file.ts'
import type { SetName } from './generate.ts'

/** Migrations that the real Prisma wrote, by set. */
export type Corpus = Readonly<Record<SetName, readonly string[]>>

const FILE = join(import.meta.dirname, 'corpus.json.br')

export const readCorpus = (): Corpus => JSON.parse(brotliDecompressSync(readFileSync(FILE)).toString('utf8')) as Corpus

/** Gives the size in bytes of what is kept. */
export function keepCorpus(corpus: Corpus): number {
  const params = { [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS }
  const compressed = brotliCompressSync(JSON.stringify(corpus), { params })
  writeWholeSync(FILE, compressed)
  return compressed.length
}
