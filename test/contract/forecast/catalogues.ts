import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib'
import type { Catalogue } from '../../../src/database/catalogue/catalogue.ts'
import { writeWholeSync } from '../../../src/lib/durable-file.ts'
import type { Major } from '../../helpers/postgres-versions/installed.ts'

/** What `readCatalogue` found in the schema of this folder, by major. */
type Kept = Readonly<Record<string, Catalogue>>

const FILE = join(import.meta.dirname, 'catalogues.json.br')

let known: Kept | undefined
const read = (): Kept => (known ??= JSON.parse(brotliDecompressSync(readFileSync(FILE)).toString('utf8')) as Kept)

export function catalogueOf(major: Major): Catalogue {
  const found = read()[major]
  if (found === undefined) throw new Error(`The catalogue of PostgreSQL ${major} is not kept`)
  return found
}

export function keepCatalogue(major: Major, catalogue: Catalogue): void {
  let kept: Kept = {}
  try {
    kept = read()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  known = { ...kept, [major]: catalogue }
  writeWholeSync(FILE, brotliCompressSync(JSON.stringify(known)))
}

/** With ids in their order, since each database has its own, and with lists sorted: the server gives rows in whatever order it finds them. */
export function steady(catalogue: Catalogue): unknown {
  const made = [...catalogue.relations, ...catalogue.indexes, ...catalogue.constraints].map(({ id }) => id).toSorted((a, b) => a - b)
  const ids = new Map(made.map((id, at) => [id, at + 1]))
  const text = JSON.stringify(catalogue, (_key, value: unknown) => (typeof value === 'number' ? (ids.get(value) ?? value) : value))
  const entries = Object.entries(JSON.parse(text) as Readonly<Record<string, unknown>>)
  return Object.fromEntries(
    entries.map(([key, value]) => [
      key,
      Array.isArray(value) && key !== 'searchPath' ? value.map((one) => JSON.stringify(one)).toSorted() : value,
    ]),
  )
}
