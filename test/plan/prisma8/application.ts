import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { readPackage, type Package } from '../../../src/plan/prisma8/package.ts'

/** As Prisma 8.0.0-rc.19 wrote it: three migrations, of which the last by name is the second of the graph. */
const place = join(import.meta.dirname, '../../fixtures/prisma8/application')

export const CUSTOMERS = '20261130T0316_customers'
export const PHONE = '20261130T0319_phone'
export const NO_EMAIL = '20261130T0319_no_email'

/** The contracts behind each of them. */
export const FIRST = 'd61aaa75cc150c621530a3f5bffe052b6685864e06546b23bf811c61a6f79574'
export const SECOND = 'f6d704da0e3034f6ea056a6c328d50de640114f3fca4b833aa9868af226106e8'
export const THIRD = 'c3bf7ce541aa7c95f093bcaf9539a0c1b66c2d98530fc8952ccf49202e435597'

/** The database when the first migration was applied by `prisma db migrate`, as pg_dump wrote it down. */
export const signedDatabase = (): string => readFileSync(join(place, '../signed.sql'), 'utf8')

/** By path. */
export const applicationFiles = (): Readonly<Record<string, string>> => ({
  'package.json': JSON.stringify({ name: 'shop', devDependencies: { prisma: '8.0.0-rc.19' } }),
  ...Object.fromEntries(
    readdirSync(place, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [relative(place, path), readFileSync(path, 'utf8')]),
  ),
})

export function packageOf(name: string): Package {
  const read = (file: string) => readFileSync(join(place, 'migrations/app', name, file))
  const found = readPackage(name, { metadata: read('migration.json'), operations: read('ops.json') })
  if ('kind' in found) throw new Error(`${found.file}: ${found.why}`)
  return found
}
