import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { wayBack } from '../../src/deploy/way-back.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import { readFiles } from '../../src/plan/files.ts'
import { fetchRepository, resolveCommit } from '../../src/plan/repository.ts'
import { statusOf } from '../../src/plan/status.ts'
import { whyNotDeployable } from '../../src/plan/unfit.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { targetFor } from '../helpers/run-context.ts'
import { commitTo, git, shopRepository } from '../helpers/sample.ts'

let home: string
let repository: Awaited<ReturnType<typeof shopRepository>>
beforeEach(async () => {
  ;[home, repository] = await Promise.all([mkdtemp(join(tmpdir(), 'lockkeeper-back-')), shopRepository()])
})
afterEach(async () => {
  await repository.close()
  await rm(home, { recursive: true, force: true })
})

const deps = () => ({ home, varDirectory: join(home, 'var'), redactor: createRedactor([]), env: process.env })
const targetOf = (path: string) => targetFor(home, { source: { repository: path, branch: 'main' } })

async function fetched() {
  const found = await fetchRepository(deps(), targetOf(repository.path))
  if (isRefusal(found)) throw new Error(found.text)
  return found
}

async function migrationsAt(commit: string) {
  const files = await readFiles(await fetched(), targetOf(repository.path), commit)
  if (isRefusal(files)) throw new Error(files.text)
  return files.migrations
}

/** What would be planned of a ref while all migrations of `applied` are recorded: the names that are pending, or the refusal. */
async function planned(ref: string | null, applied: string): Promise<readonly string[] | string> {
  const target = targetOf(repository.path)
  const resolved = await resolveCommit(await fetched(), target, ref)
  if (isRefusal(resolved)) return resolved.text
  const at = new Date(0)
  const rows = (await migrationsAt(applied)).map(({ name, sha256 }) => ({
    id: name,
    name,
    checksum: sha256,
    startedAt: at,
    finishedAt: at,
    rolledBackAt: null,
    logs: null,
    appliedSteps: 1,
  }))
  const database = { schema: 'public', recorded: true, rows, lockHeld: false, schemasWithTables: [] }
  const status = statusOf(database, await migrationsAt(resolved.commit))
  return whyNotDeployable({ target, status, lock: null })?.text ?? status.pending.map(({ name }) => name)
}

/** After a run of this commit, whose migrations are applied. */
async function said(previous: string | null, commit: string): Promise<string> {
  const list = (await migrationsAt(commit)).map(({ name, sha256 }) => ({
    name,
    sha256,
    bytes: 1,
    rollbackSha256: null,
    concurrently: false,
  }))
  const run = { target: targetOf(repository.path), command: '/migrate', plan: { commit, baseline: [], list } }
  return wayBack(deps(), run, previous)
}

async function inWorkTree<T>(work: (tree: string) => Promise<T>): Promise<T> {
  const tree = join(home, 'tree')
  await git(home, ['clone', '--quiet', repository.path, tree])
  await git(tree, ['config', 'user.name', 'Test'])
  await git(tree, ['config', 'user.email', 'test@example.com'])
  return work(tree)
}

const REVERT =
  'To go back to the old code, revert it on `main`, but keep everything below `prisma/migrations` (a commit without what is applied is refused), and `/migrate deploy prod` again. The old code then has to fit the new schema.'

test('a commit that has every applied migration is advised by name, and a plan of it is made', async () => {
  const broken = await commitTo(repository.path, { files: { 'server.mjs': 'broken\n' }, subject: 'Tidy up' })
  expect(await said(repository.main, broken)).toBe(`To go back, \`/migrate deploy prod --ref ${repository.main.slice(0, 10)}\`.`)
  expect(await planned(repository.main.slice(0, 10), broken)).toEqual([])
})

test('after migrations the old commit is refused, so what is advised is the old code beside the new migrations, and that is planned', async () => {
  expect(await said(repository.live, repository.main)).toBe(REVERT)
  expect(await planned(repository.live, repository.main)).toMatch(/^`prod` has migrations that this commit does not have: /)
  await inWorkTree(async (tree) => {
    await git(tree, ['rm', '--quiet', '-r', '.'])
    await git(tree, ['checkout', '--quiet', repository.live, '--', '.'])
    await git(tree, ['checkout', '--quiet', repository.main, '--', 'prisma/migrations'])
    await git(tree, ['commit', '--quiet', '--message', 'Back to the old code'])
    await git(tree, ['push', '--quiet', 'origin', 'HEAD:main'])
  })
  expect(await planned(null, repository.main)).toEqual([])
})

test('a commit that is not known, the one that has just failed, or one of no branch that is deployed from, is not advised', async () => {
  const elsewhere = await inWorkTree(async (tree) => {
    await git(tree, ['commit', '--quiet', '--allow-empty', '--message', 'Elsewhere'])
    await git(tree, ['push', '--quiet', 'origin', 'HEAD:elsewhere'])
    return (await git(tree, ['rev-parse', 'HEAD'])).trim()
  })
  for (const previous of [null, '1111111', elsewhere, repository.main.slice(0, 12)])
    expect(await said(previous, repository.main)).toBe(REVERT)
})

test('a repository that cannot be read now names no commit', async () => {
  const run = { target: targetOf(join(home, 'gone')), command: '/migrate', plan: { commit: repository.main, baseline: [], list: [] } }
  expect(await wayBack(deps(), run, repository.live)).toBe(REVERT)
})
