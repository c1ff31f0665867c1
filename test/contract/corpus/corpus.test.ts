import { expect, test } from 'vitest'
import { serverUrl } from '../../helpers/server.ts'
import { generate, generateSteps, SETS, type SetName } from './generate.ts'
import { keepCorpus, keepSteps, readCorpus } from './kept.ts'

const EACH = 700
const STEPS = 60
const names = Object.keys(SETS) as readonly SetName[]
const env = process.env['LOCKKEEPER_TEST_CONTRACT'] ?? ''
const seedOf = (name: SetName) => names.indexOf(name) + 1

if (env === 'record')
  test('the real Prisma writes the corpus anew', async () => {
    const sets = []
    for (const name of names) sets.push([name, await generate(name, EACH, seedOf(name), serverUrl())] as const)
    expect(keepCorpus(Object.fromEntries(sets) as Record<SetName, readonly string[]>)).toBeLessThan(300_000)
    expect(keepSteps(await generateSteps('shop', STEPS, 4, serverUrl()))).toBeLessThan(50_000)
  }, 600_000)

test('three sets of migrations of the real Prisma are kept, no two of a set alike', () => {
  const corpus = readCorpus()
  expect(names.map((name) => new Set(corpus[name]).size)).toEqual([EACH, EACH, EACH])
})
