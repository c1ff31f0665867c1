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

/** With ids in the order in which they appear, since each database has its own. */
export function steady(catalogue: Catalogue): Catalogue {
  const ids = new Map<number, number>()
  JSON.stringify(catalogue, (key, value: unknown) => {
    if (key === 'id' && typeof value === 'number') ids.set(value, ids.size + 1)
    return value
  })
  const text = JSON.stringify(catalogue, (_key, value: unknown) => (typeof value === 'number' ? (ids.get(value) ?? value) : value))
  return JSON.parse(text) as Catalogue
}
