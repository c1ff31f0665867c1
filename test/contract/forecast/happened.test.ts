import { expect, test } from 'vitest'
import { MAJORS, type Major } from '../../helpers/postgres-versions/installed.ts'
import type { Catalogue } from '../../../src/database/catalogue/catalogue.ts'
import { readCatalogue } from '../../../src/database/catalogue/read.ts'
import { casesOf } from './cases.ts'
import { catalogueOf, keepCatalogue, steady } from './catalogues.ts'
import { happens, relationsOf, type Truth } from './happened.ts'
import { happensOutside } from './outside.ts'
import { record, recordedOf, type Truths } from './recorded.ts'
import { createSchema, onDatabase, withDatabase, withServer } from './servers.ts'

const env = process.env['LOCKKEEPER_TEST_CONTRACT'] ?? ''

/** 15 always, since it is there anyway; of the others one at each landing, in turns, or all. */
function askedNow(): readonly Major[] {
  const others = MAJORS.filter((major) => major !== 15)
  if (env === 'all' || env === 'record') return MAJORS
  const [, part] = /^([1-9])\/[1-9]$/.exec(env) ?? []
  return part === undefined ? [15] : [15, ...others.slice((Number(part) - 1) % others.length).slice(0, 1)]
}

test.each(askedNow().map((major) => ({ major })))(
  'PostgreSQL $major does what is kept of it: locks, rewrites, scans, builds and errors, and its catalogue is read as kept',
  async ({ major }) => {
    const found = await withServer(major, (server) => ask(server, major))
    if (env === 'record') {
      record(major, found.truths)
      keepCatalogue(major, found.catalogue)
    }
    expect(found.truths).toEqual(recordedOf(major))
    expect(steady(found.catalogue)).toEqual(steady(catalogueOf(major)))
  },
  300_000,
)

const ask = (server: string, major: Major): Promise<{ readonly truths: Truths; readonly catalogue: Catalogue }> =>
  withDatabase(server, async (url) => {
    const found: Record<string, Truth> = {}
    const catalogue = await onDatabase(url, async (client) => {
      await createSchema(client, major)
      const read = await readCatalogue(client)
      const before = await relationsOf(client)
      for (const one of casesOf(major)) if (!one.isOutside) found[one.key] = await happens(client, before, one)
      return read
    })
    // last, since they stay; none meets what another did
    for (const one of casesOf(major)) if (one.isOutside) found[one.key] = await happensOutside(url, one)
    return { truths: found, catalogue }
  })
