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

/** As a plan of its own: the classes of change, and what the rules say. Gives how many statements it has; null for what is no SQL. */
async function reviewOne(file: SqlFile, catalogue: typeof known): Promise<number | null> {
  await reviewMigrations([file], { sizes: [], schema: 'public' })
  const script = await readScript(file.content)
  if (script.kind === 'unreadable') return null
  const said = forecasts([{ content: file.content, ...script }], catalogue, await loadParser()).flat()
  const dark = said.find(({ unknown: why }) => why !== null)
  if (dark !== undefined) throw new Error(`${file.name}: nobody knows what this does: ${dark.sql}`)
  return said.length
}

/** Of schemas alone, without a database, Prisma cannot know the name of the sequence that a former autoincrement leaves. */
const NAMELESS = 'DROP SEQUENCE ""'

// every fourteenth in a suite of tests; `LOCKKEEPER_TEST_CONTRACT=all` asks for all
const isAll = ['all', 'record'].includes(process.env['LOCKKEEPER_TEST_CONTRACT'] ?? '')
const files = all.filter((_file, at) => isAll || at % 14 === 0)

test('each migration of Prisma is read, classed and forecast, with and without a database, and nothing in it is unknown but a sequence without a name', async () => {
  expect(all).toHaveLength(2_100)
  let statements = 0
  for (const [at, file] of files.entries()) {
    const count = await reviewOne(file, at % 2 === 0 ? known : unknown)
    expect([file.name, count === null]).toEqual([file.name, file.content.includes(NAMELESS)])
    statements += count ?? 0
  }
  expect(statements).toBeGreaterThan(files.length * 10)
}, 120_000)

test('a hundred migrations are reviewed in less than a second of this process', async () => {
  const hundred = all.slice(0, 100)
  await reviewOne(hundred[0] ?? { name: '', content: Buffer.from('') }, unknown) // the parser is loaded
  const start = process.threadCpuUsage()
  for (const file of hundred) await reviewOne(file, unknown)
  const { user, system } = process.threadCpuUsage(start)
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
  const time = async (count: number) => {
    const file = { name: 'large', content: Buffer.from(script(count)) }
    const start = process.threadCpuUsage().user
    expect(await reviewOne(file, known)).toBe(count)
    return process.threadCpuUsage().user - start
  }
  await time(500)
  const [half, whole] = [await time(2_500), await time(5_000)]
  expect(whole / half).toBeLessThan(3.2)
}, 120_000)
