import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readJson, writeFirstSync, writeWhole, writeWholeSync } from '../../src/lib/durable-file.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lockkeeper-durable-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const at = (name: string) => join(directory, name)

test.each([
  ['writeWhole', writeWhole],
  ['writeWholeSync', writeWholeSync],
] as const)('%s replaces what is there, for the owner alone, and leaves nothing beside it', async (_, write) => {
  writeFileSync(at('note.json'), 'older and longer', { mode: 0o644 })
  await write(at('note.json'), 'newer')
  expect(readFileSync(at('note.json'), 'utf8')).toBe('newer')
  expect(statSync(at('note.json')).mode & 0o777).toBe(0o600)
  expect(readdirSync(directory)).toEqual(['note.json'])
})

test.each([
  ['writeWhole', (path: string): Promise<void> => writeWhole(path, 'x')],
  ['writeWholeSync', async (path: string): Promise<void> => writeWholeSync(path, 'x')],
] as const)('%s that fails says why and leaves nothing behind', async (_, write) => {
  mkdirSync(at('taken')) // a directory cannot be replaced by a file
  await expect(write(at('taken'))).rejects.toThrow('EISDIR')
  expect(readdirSync(directory)).toEqual(['taken'])
})

test('writes of one moment to one place do not meet: one of them is there, whole', async () => {
  const texts = Array.from({ length: 20 }, (_, index) => String(index).repeat(50_000))
  await Promise.all(texts.map((text) => writeWhole(at('note'), text)))
  expect(texts).toContain(readFileSync(at('note'), 'utf8'))
  expect(readdirSync(directory)).toEqual(['note'])
})

test('of several that want to be first one is, and its content stays', () => {
  expect(['a', 'b', 'c'].map((content) => writeFirstSync(at('claim'), content))).toEqual([true, false, false])
  expect(readFileSync(at('claim'), 'utf8')).toBe('a')
  expect(readdirSync(directory)).toEqual(['claim'])
})

test('a file that is not there reads as null; one that is no JSON is a fault', () => {
  writeFileSync(at('broken.json'), '{')
  expect(readJson(at('absent.json'))).toBeNull()
  expect(() => readJson(at('broken.json'))).toThrow(SyntaxError)
})
