import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { elsewhere } from './elsewhere.ts'
import { keyOf } from './row.ts'
import { rows } from './rows.ts'
import { sentences } from './sentences.ts'
import { attackTable } from './table.ts'

const root = join(import.meta.dirname, '../../..')

test('docs/attacks.md is what the tests run; `npm run -s attacks > docs/attacks.md` writes it anew', () =>
  expect(readFileSync(join(root, 'docs/attacks.md'), 'utf8')).toBe(attackTable()))

test('each row that is tested elsewhere names a test that is there', () => {
  const missing = elsewhere.filter(({ test: path, title }) => !readFileSync(join(root, path), 'utf8').includes(title))
  expect(missing).toEqual([])
})

test('no sentence is left over from a row that is gone', () => {
  const keys = new Set(rows.map(keyOf))
  expect(Object.keys(sentences).filter((key) => !keys.has(key))).toEqual([])
})
