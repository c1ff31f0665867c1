import type pg from 'pg'
import { expect, test } from 'vitest'
import { readCatalogue } from '../../../src/database/catalogue/read.ts'
import { loadParser, type Parser } from '../../../src/sql/effects/parser.ts'
import { serverUrl } from '../../helpers/server.ts'
import { compare, type Comparison } from '../forecast/compare.ts'
import { happens, relationsOf, type Truth } from '../forecast/happened.ts'
import { onDatabase, withDatabase } from '../forecast/servers.ts'
import { readSteps } from './kept.ts'
import type { Step } from './generate.ts'

// a fifth in a suite of tests; `LOCKKEEPER_TEST_CONTRACT=all` asks for all
const isAll = ['all', 'record'].includes(process.env['LOCKKEEPER_TEST_CONTRACT'] ?? '')
const steps = readSteps().filter((_step, at) => isAll || at % 5 === 0)

test('nothing that a migration of Prisma does to the schema before it is more than what was forecast', async () => {
  const parser = await loadParser()
  const found: (Comparison & { readonly truth: Truth })[] = []
  await withDatabase(serverUrl(), async (url) => {
    await onDatabase(url, (client) =>
      client.query(`create schema extensions; create extension citext schema extensions;
        alter database ${new URL(url).pathname.slice(1)} set search_path = public, extensions`),
    )
    await onDatabase(url, async (client) => {
      for (const step of steps) found.push(await take(client, step, parser))
    })
  })
  expect(found.filter(({ kind }) => kind === 'weaker')).toEqual([])
  expect(found.filter(({ kind, truth }) => kind === 'right' && truth.error === undefined).length).toBeGreaterThan(steps.length / 3)
})

/** Without rows, so nothing is said of what is read; and as one transaction, since what Prisma commits halfway holds no lock afterwards. */
async function take(client: pg.Client, { before, sql: written }: Step, parser: Parser) {
  await client.query('drop schema public cascade; create schema public')
  await client.query(before)
  await client.query('analyze')
  const catalogue = await readCatalogue(client, { schema: 'public' })
  const sql = written.replaceAll(/^(BEGIN|COMMIT);$/gm, '')
  const one = { key: sql, sql, zone: 'UTC', from: 0, isOutside: true }
  const truth = await happens(client, await relationsOf(client), one)
  return { ...(await compare(one, truth, catalogue, parser)), truth }
}
