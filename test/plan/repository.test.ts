import { existsSync } from 'node:fs'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fetchRepository, isReachable, resolveCommit, type Repository } from '../../src/plan/repository.ts'
import { whyNoRefName } from '../../src/lib/git.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import { createOrigin, FIT, type Origin } from './application/origin.ts'

let origin: Origin
let first: string
let second: string
let feature: string

beforeAll(async () => {
  origin = await createOrigin()
  first = await origin.commit(FIT, 'Customers <!channel>\u202e')
  await origin.git('tag', 'v1')
  await origin.git('checkout', '--quiet', '-b', 'feature/x')
  feature = await origin.commit({ 'a.txt': 'x' })
  await origin.git('checkout', '--quiet', 'main')
  second = await origin.commit({ 'b.txt': 'x' }, 'Second')
})

afterAll(() => origin.close())

async function fetched(changes = {}, deps = {}): Promise<Repository> {
  const repository = await fetchRepository({ ...origin.deps, ...deps }, origin.target(changes))
  if (isRefusal(repository)) throw new Error(repository.text)
  return repository
}

describe('resolving what was asked for', () => {
  test.each([
    ['nothing, the branch', () => null, () => second],
    ['a branch', () => 'main', () => second],
    ['a tag', () => 'v1', () => first],
    ['a full SHA', () => first, () => first],
    ['a short SHA', () => first.slice(0, 8), () => first],
  ])('%s', async (_, ref, commit) => {
    expect(await resolveCommit(await fetched(), origin.target(), ref())).toMatchObject({
      commit: commit(),
      ref: ref() ?? 'main',
      branchHead: second,
    })
  })

  test('subject, author and distance come along, without characters that could fool a reader', async () => {
    const resolved = await resolveCommit(await fetched(), origin.target(), 'v1')
    expect(resolved).toMatchObject({ subject: 'Customers <!channel>', author: 'Ada Berg', behind: 1 })
  })

  test('a commit outside the branch is refused, and allowed once source.refs names its branch', async () => {
    const repository = await fetched()
    expect(await resolveCommit(repository, origin.target(), 'feature/x')).toEqual({
      kind: 'refusal',
      code: 'ref_not_reachable',
      text: `\`feature/x\` is commit \`${feature.slice(0, 10)}\`, which is not part of \`main\`, from where \`prod\` is deployed. Merge it first, or ask for a commit that is merged.`,
    })
    const target = origin.target({ source: { ...origin.target().source, refs: ['feature/*'] } })
    expect(await resolveCommit(repository, target, 'feature/x')).toMatchObject({ commit: feature })
  })

  test('an unknown name is refused with the nearest one', async () => {
    expect(await resolveCommit(await fetched(), origin.target(), 'mian')).toEqual({
      kind: 'refusal',
      code: 'ref_not_found',
      text: 'The repository has no branch, tag or commit `mian`. The nearest name is `main`. A commit must have been pushed before it can be deployed.',
    })
  })

  test('a branch in the configuration that does not exist is refused', async () => {
    const target = origin.target({ source: { ...origin.target().source, branch: 'trunk' } })
    expect(await resolveCommit(await fetched(), target, null)).toMatchObject({
      code: 'ref_not_found',
      text: expect.stringContaining('`source.branch`'),
    })
  })

  let once: Promise<Repository> | undefined
  test.each([
    '--upload-pack=touch /tmp/x',
    '-x',
    'a b',
    'a\0b',
    'main\n',
    'x'.repeat(10_000),
    '',
    'a..b',
    '@{-1}',
    'main~1',
    'main^',
    ':/fix',
    'a.lock',
    '../x',
    'HEAD:x',
    'a\u200bb',
    'a\\b',
    'a/.b',
    '/a',
    'a/',
    '@',
  ])('the hostile name %j is refused before git sees it', async (ref) => {
    expect(whyNoRefName(ref)).not.toBeNull()
    once ??= fetched()
    const repository = await once
    const git = () => Promise.reject(new Error('git was asked'))
    expect(await resolveCommit({ ...repository, git }, origin.target(), ref)).toMatchObject({ kind: 'refusal', code: 'ref_not_found' })
  })

  test('no name that passes can be an option, a range or an expression', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (ref) => whyNoRefName(ref) !== null || !/^-|\.\.|[\s~^:?*[\\\0]|@\{/.test(ref)),
      { numRuns: 1000 },
    )
  })
})

describe('the clone', () => {
  test('calls at once share it, and see what was pushed before them', async () => {
    const repositories = await Promise.all(Array.from({ length: 6 }, () => fetched()))
    expect(new Set(repositories.map(({ directory }) => directory)).size).toBe(1)
    await origin.git('branch', 'later', first)
    const seen = await Promise.all(Array.from({ length: 3 }, async () => resolveCommit(await fetched(), origin.target(), 'later')))
    expect(seen).toEqual(Array.from({ length: 3 }, () => expect.objectContaining({ commit: first })))
    await origin.git('branch', '-D', 'later')
    expect(await resolveCommit(await fetched(), origin.target(), 'later')).toMatchObject({ code: 'ref_not_found' })
  })

  test('a commit that was forced off the branch is no longer reachable', async () => {
    const other = await createOrigin()
    try {
      await other.commit(FIT)
      const gone = await other.commit({ x: '1' })
      const clone = async () => {
        const repository = await fetchRepository(other.deps, other.target())
        if (isRefusal(repository)) throw new Error(repository.text)
        return repository
      }
      expect(await isReachable(await clone(), other.target(), gone)).toBe(true)
      await other.git('reset', '--quiet', '--hard', 'HEAD~1')
      expect(await isReachable(await clone(), other.target(), gone)).toBe(false)
      expect(await isReachable(await clone(), other.target(), 'f'.repeat(40))).toBe(false)
    } finally {
      await other.close()
    }
  })

  test('no hook and no setting of the repository or of the environment runs anything', async () => {
    const other = await createOrigin()
    try {
      await other.commit(FIT)
      const mark = join(other.deps.home, 'ran')
      const script = join(other.deps.home, 'script')
      await writeFile(script, `#!/bin/sh\ntouch ${mark}\nexec "$@"\n`)
      await chmod(script, 0o755)
      for (const hook of ['post-checkout', 'reference-transaction', 'pre-auto-gc', 'post-update'])
        await writeFile(join(other.directory, '.git/hooks', hook), `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 })
      await other.git('config', 'uploadpack.packObjectsHook', script)
      await other.git('config', 'core.fsmonitor', script)
      const env = {
        ...process.env,
        GIT_CONFIG_PARAMETERS: `'core.hooksPath=${other.directory}/.git/hooks'`,
        GIT_EXEC_PATH: '/nowhere',
        GIT_SSH_COMMAND: script,
        GIT_DIR: '/nowhere',
      }
      expect(isRefusal(await fetchRepository({ ...other.deps, env }, other.target()))).toBe(false)
      expect(existsSync(mark)).toBe(false)
    } finally {
      await other.close()
    }
  })

  test.each([
    ['/nowhere/at/all', "'/nowhere/at/all' does not appear to be a git repository"],
    ['ext::sh -c touch% /tmp/x', 'source.repository names a transport other than https, ssh and file'],
    ['http://example.invalid/x.git', 'source.repository must use https, ssh or a path; anything else could be changed on its way'],
    ['--upload-pack=x', 'source.repository is neither a path nor a URL'],
  ])('%s is refused', async (repository, why) => {
    const target = origin.target({ name: 'elsewhere', source: { ...origin.target().source, repository } })
    expect(await fetchRepository(origin.deps, target)).toEqual({
      kind: 'refusal',
      code: 'repository_unreachable',
      text: `The repository of \`elsewhere\` could not be read: ${why}. Nothing was planned. Check \`source.repository\` in lockkeeper.yaml and the access of the bot to it.`,
    })
  })
})
