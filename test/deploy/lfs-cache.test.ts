import { mkdir, mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { markUsed, pathOf, pruneUnused } from '../../src/deploy/lfs-cache.ts'

const DAY = 86_400_000
const now = Date.UTC(2026, 10, 30)
const [old, used, recent] = ['a', 'b', 'c'].map((letter) => letter.repeat(64)) as [string, string, string]

let repository: string
beforeEach(async () => {
  repository = await mkdtemp(join(tmpdir(), 'lfs-'))
})
afterEach(() => rm(repository, { recursive: true }))

async function fetched(sum: string, daysAgo: number): Promise<void> {
  await mkdir(dirname(pathOf(repository, sum)), { recursive: true })
  await writeFile(pathOf(repository, sum), 'content')
  const at = new Date(now - daysAgo * DAY)
  await utimes(pathOf(repository, sum), at, at)
}

const isThere = (sum: string) =>
  stat(pathOf(repository, sum)).then(
    () => true,
    () => false,
  )

test('what no run has used for 30 days goes, and what one uses again stays', async () => {
  await fetched(old, 31)
  await fetched(used, 31)
  await fetched(recent, 29)
  await markUsed(repository, [used, 'd'.repeat(64)], now)
  expect(await pruneUnused(repository, now)).toBe(1)
  expect(await Promise.all([old, used, recent].map(isThere))).toEqual([false, true, true])
})

test('a clone without anything from LFS has nothing to lose', async () => {
  expect(await pruneUnused(repository, now)).toBe(0)
})

test('files of git-lfs that are no contents stay', async () => {
  await fetched(old, 31)
  const other = join(repository, 'lfs/objects/incomplete')
  await writeFile(other, '')
  await utimes(other, new Date(0), new Date(0))
  await pruneUnused(repository, now)
  expect((await stat(other)).isFile()).toBe(true)
})
