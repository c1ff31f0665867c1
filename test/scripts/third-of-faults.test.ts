import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { shareOf } from '../faults/shares.ts'

const script = join(import.meta.dirname, '../../scripts/third-of-faults.mjs')

test('three landings try the three thirds, and a merge of many commits is one landing', () => {
  const cwd = mkdtempSync(join(tmpdir(), 'lockkeeper-landings-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  const git = (...args: string[]) => execFileSync('git', ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', ...args], { cwd })
  const commit = () => git('commit', '-q', '--allow-empty', '-m', 'A change')
  const third = () => execFileSync(process.execPath, [script], { cwd, encoding: 'utf8' }).trim()
  git('init', '-q', '-b', 'main')
  const seen: string[] = []
  commit()
  seen.push(third())
  git('switch', '-q', '-c', 'topic')
  for (let each = 0; each < 3; each++) commit()
  git('switch', '-q', 'main')
  git('merge', '-q', '--no-ff', '-m', 'A merge', 'topic')
  seen.push(third())
  commit()
  seen.push(third())
  expect(seen.toSorted()).toEqual(['1/3', '2/3', '3/3'])
  expect(new Set(seen.map(shareOf))).toEqual(new Set([1, 2, 3]))
})
