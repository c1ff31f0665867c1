import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findingCodes } from '../../../src/sql/weigh/finding.ts'

test('the page about the review explains every kind of finding that a waiver may name, and no other', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/review.md'), 'utf8')
  const table = page.slice(page.indexOf('## Kinds of findings'), page.indexOf('## While it runs'))
  const explained = [...table.matchAll(/^\| `([a-z-]+)` +\| \S/gm)].map(([, code]) => code)
  expect(explained).toEqual([...findingCodes])
})
