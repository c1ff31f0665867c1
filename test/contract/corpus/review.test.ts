import { expect, test } from 'vitest'
import { unknownCatalogue } from '../../../src/database/catalogue/catalogue.ts'
import { loadParser } from '../../../src/sql/effects/parser.ts'
import { readScript } from '../../../src/sql/parse.ts'
import { reviewMigrations, type SqlFile } from '../../../src/sql/review.ts'
import { forecasts } from '../../../src/sql/rules/forecasts.ts'
import { catalogueOf } from '../forecast/catalogues.ts'
import { readCorpus } from './kept.ts'

const corpus = readCorpus()
const all: readonly SqlFile[] = Object.entries(corpus).flatMap(([set, files]) =>
  files.map((sql, at) => ({ name: `${set}/${at}`, content: Buffer.from(sql) })),
)
const known = catalogueOf(18)
const unknown = unknownCatalogue(180_000)

/** As a plan of its own: both the classes of change and what the rules say. */
async function reviewOne(file: SqlFile, catalogue: typeof known): Promise<number> {
  const [reviewed] = await reviewMigrations([file], { sizes: [], schema: 'public' })
  if (reviewed?.class === 'unclear') throw new Error(`${file.name} is unclear: ${reviewed.summary}`)
  return forecastOf(file, catalogue)
}

async function forecastOf({ name, content }: SqlFile, catalogue: typeof known): Promise<number> {
  const script = await readScript(content)
  if (script.kind === 'unreadable') throw new Error(`${name} cannot be read: ${script.why}`)
  const said = forecasts([{ content, ...script }], catalogue, await loadParser()).flat()
  const dark = said.find(({ unknown: why }) => why !== null)
  if (dark !== undefined) throw new Error(`${name}: nobody knows what this does: ${dark.sql}`)
  return said.length
}

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await work()
  return performance.now() - start
}

// every seventh in a suite of tests; `LOCKKEEPER_TEST_CONTRACT=all` asks for all
const isAll = ['all', 'record'].includes(process.env['LOCKKEEPER_TEST_CONTRACT'] ?? '')
const files = all.filter((_file, at) => isAll || at % 7 === 0)

test('each migration of Prisma is read, classed and forecast, with and without a database, and nothing in it is unknown', async () => {
  expect(all).toHaveLength(2_100)
  let statements = 0
  for (const [at, file] of files.entries()) statements += await reviewOne(file, at % 2 === 0 ? known : unknown)
  expect(statements).toBeGreaterThan(files.length * 10)
})

test('a hundred migrations are reviewed in less than a second of this process', async () => {
  const hundred = files.slice(0, 100)
  await reviewOne(hundred[0] ?? { name: '', content: Buffer.from('') }, unknown) // the parser is loaded
  const start = process.cpuUsage()
  for (const file of hundred) await reviewOne(file, unknown)
  const { user, system } = process.cpuUsage(start)
  expect((user + system) / 1_000).toBeLessThan(1_000)
})

test('twice as many statements take about twice as long, not four times', async () => {
  const names = (count: number) => Array.from({ length: count }, (_, at) => `t${at}`)
  const script = (count: number) =>
    names(count / 5)
      .map(
        (name) => `CREATE TABLE ${name} (id integer PRIMARY KEY, plain_id integer);
CREATE INDEX ${name}_plain ON ${name} (plain_id);
ALTER TABLE ${name} ADD CONSTRAINT ${name}_fkey FOREIGN KEY (plain_id) REFERENCES plain (id);
ALTER TABLE plain ADD COLUMN ${name} text;
UPDATE plain SET ${name} = 'x' WHERE id = 1;`,
      )
      .join('\n')
  const time = (count: number) => {
    const file = { name: 'large', content: Buffer.from(script(count)) }
    return timed(async () => expect(await reviewOne(file, known)).toBe(count))
  }
  await time(500)
  const [half, whole] = [Math.min(await time(2_500), await time(2_500)), Math.min(await time(5_000), await time(5_000))]
  expect(whole / half).toBeLessThan(3.2)
}, 120_000)
