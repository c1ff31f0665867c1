import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { atTheServer, mendedFiles, openDatabase } from './database-lines.ts'
import { drivenElsewhere, notDriven } from './lines.ts'
import { inGit, onTheMachine, openDirectory } from './shell-lines.ts'
import { advisedLines } from './spans.ts'

/**
 * Everything that a text of the product tells people to type outside of Slack is generated from the source, and typed once in the state in
 * which it is advised: here, or in the test that the list names.
 */
let close: readonly (() => Promise<void>)[] = []
beforeAll(async () => void (close = await Promise.all([openDatabase(), openDirectory()])))
afterAll(() => Promise.all(close.map((act) => act())))

const scenarios = [...mendedFiles, ...atTheServer, ...onTheMachine, ...inGit]

describe('what is advised is typed in its state', () => {
  test.each(scenarios)('$shapes', async ({ drive }) => {
    await expect(drive()).resolves.not.toThrow()
  })
})

describe('the list', () => {
  test('has every line that the source advises, and no other', async () => {
    const listed = [...scenarios, ...drivenElsewhere, ...notDriven].flatMap(({ shapes }) => shapes)
    expect(listed.toSorted()).toEqual([...new Set((await advisedLines()).map(({ shape }) => shape))].toSorted())
  })

  test.each(drivenElsewhere)('names a test that is there: $title', async ({ file: name, title }) => {
    const source = await readFile(join(import.meta.dirname, '..', name), 'utf8')
    expect(source.replaceAll('\\', '')).toContain(`'${title}'`)
  })
})
