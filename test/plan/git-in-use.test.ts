import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { makeCheckout } from '../../src/deploy/checkout.ts'
import { whyNoRefName } from '../../src/lib/git.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import { readFiles } from '../../src/plan/files.ts'
import { fetchRepository, resolveCommit, type Repository } from '../../src/plan/repository.ts'
import { createOrigin, FIT, type Origin } from './application/origin.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

async function cloned(origin: Origin): Promise<Repository> {
  const repository = await fetchRepository(origin.deps, origin.target())
  if (isRefusal(repository)) throw new Error(repository.text)
  return repository
}

async function resolved(origin: Origin, ref: string | null) {
  const found = await resolveCommit(await cloned(origin), origin.target(), ref)
  if (isRefusal(found)) throw new Error(found.text)
  return found
}

describe('a name that git allows', () => {
  let origin: Origin
  let commit: string
  beforeAll(async () => {
    origin = await createOrigin()
    commit = await origin.commit(FIT)
    await origin.commit({ 'later.txt': 'x' })
  })
  afterAll(() => origin.close())

  test.each([
    '@acme/api@1.4.0',
    'api@1.4.0-rc.1+build.5',
    'release/2026/11/29',
    'v1.4.0!',
    'fix(api)/retry',
    'größe',
    'релиз-1',
    '発売',
    '🚀-1',
    "it's",
    '"quoted"',
    '$(id)',
    'a;b|c&d',
    'JIRA-1_#2',
    '100%',
    '{x}',
    '<x>',
    'a`b',
    '123456',
  ])('%s', async (tag) => {
    await origin.git('tag', '--force', '--', tag, commit)
    expect(whyNoRefName(tag)).toBeNull()
    expect(await resolved(origin, tag)).toMatchObject({ commit, ref: tag, behind: 1 })
    expect(await resolved(origin, `refs/tags/${tag}`)).toMatchObject({ commit })
  })

  test('whatever passes git takes as well, and what can be seen and git takes passes', () => {
    const piece = fc.constantFrom(
      'a',
      'Z',
      '0',
      '/',
      '.',
      '@',
      '{',
      '-',
      '..',
      '.lock',
      '~',
      '^',
      ':',
      '?',
      '*',
      '[',
      '\\',
      ' ',
      'é',
      '名',
      "'",
      '$',
      '!',
    )
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 6 }), (pieces) => {
        const name = pieces.join('')
        if (name.startsWith('-')) return
        expect([name, whyNoRefName(name) === null]).toEqual([name, isTakenByGit(name)])
      }),
      { numRuns: 150 },
    )
  })
})

function isTakenByGit(name: string): boolean {
  try {
    execFileSync('git', ['check-ref-format', `refs/heads/${name}`], { stdio: 'ignore' })
    return name !== '@' && !name.startsWith('/') // alone they are an expression and a path
  } catch {
    return false
  }
}

describe('repositories as people have them', () => {
  const open = async (format: 'sha1' | 'sha256' = 'sha1') => {
    const origin = await createOrigin(undefined, format)
    cleanups.push(() => origin.close())
    return origin
  }

  test('SHA-256: read, resolved by a short and a full name, and checked out', async () => {
    const origin = await open('sha256')
    const commit = await origin.commit(FIT)
    await origin.git('tag', '--annotate', '-m', 'x', 'v1')
    expect(commit).toMatch(/^[0-9a-f]{64}$/)
    for (const ref of [null, commit, commit.slice(0, 10), 'v1']) expect(await resolved(origin, ref)).toMatchObject({ commit })
    const repository = await cloned(origin)
    expect(await readFiles(repository, origin.target(), commit)).toMatchObject({ migrations: [{ name: '20260101_customers' }] })
    const directory = join(origin.deps.varDirectory, 'checkout')
    await makeCheckout({ deps: origin.deps, repository: repository.directory, directory, commit })
    expect(execFileSync('git', ['-C', directory, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim()).toBe(commit)
  })

  test('a repository that changes from SHA-1 to SHA-256 is said to, and what is there stays', async () => {
    const origin = await open()
    await origin.commit(FIT)
    const { directory } = await cloned(origin)
    const other = await open('sha256')
    await other.commit(FIT)
    const source = { ...origin.target().source, repository: other.directory }
    expect(await fetchRepository(origin.deps, origin.target({ source }))).toEqual({
      kind: 'refusal',
      code: 'repository_unreachable',
      text: `The repository of \`prod\` could not be read: it now has SHA-256 objects, other than when it was cloned. Stop the bot, move ${directory} away, and start it again. Nothing was planned. Check \`source.repository\` in lockkeeper.yaml and the access of the bot to it.`,
    })
  })

  test('a tag that moves is followed, lightweight or annotated, also one of a tag', async () => {
    const origin = await open()
    const first = await origin.commit(FIT)
    await origin.git('tag', 'light')
    await origin.git('tag', '--annotate', '-m', 'one', 'heavy')
    await origin.git('tag', '--annotate', '-m', 'two', 'nested', 'heavy')
    for (const tag of ['light', 'heavy', 'nested']) expect(await resolved(origin, tag)).toMatchObject({ commit: first })
    const second = await origin.commit({ 'a.txt': 'x' })
    await origin.git('tag', '--force', 'light')
    await origin.git('tag', '--force', '--annotate', '-m', 'three', 'heavy')
    await origin.git('tag', '--force', '--annotate', '-m', 'four', 'nested', 'heavy')
    for (const tag of ['light', 'heavy', 'nested']) expect(await resolved(origin, tag)).toMatchObject({ commit: second })
  })

  test('a branch with slashes follows one that had the first part as its name, and the other way', async () => {
    const origin = await open()
    const commit = await origin.commit(FIT)
    await origin.git('branch', 'release')
    expect(await resolved(origin, 'release')).toMatchObject({ commit })
    await origin.git('branch', '-D', 'release')
    await origin.git('branch', 'release/1/x')
    expect(await resolved(origin, 'release/1/x')).toMatchObject({ commit })
    await origin.git('branch', '-D', 'release/1/x')
    await origin.git('branch', 'release')
    expect(await resolved(origin, 'release')).toMatchObject({ commit })
  })

  test('a branch comes before a tag of the same name, and both can be asked for', async () => {
    const origin = await open()
    const first = await origin.commit(FIT)
    await origin.git('tag', 'same')
    const second = await origin.commit({ 'a.txt': 'x' })
    await origin.git('branch', 'same')
    expect(await resolved(origin, 'same')).toMatchObject({ commit: second })
    expect(await resolved(origin, 'refs/tags/same')).toMatchObject({ commit: first })
    expect(await resolved(origin, 'refs/heads/same')).toMatchObject({ commit: second })
  })

  test('a tag of something else than a commit is no commit', async () => {
    const origin = await open()
    await origin.commit(FIT)
    await origin.git('tag', 'tree', 'HEAD^{tree}')
    expect(await resolveCommit(await cloned(origin), origin.target(), 'tree')).toMatchObject({ code: 'ref_not_found' })
  })

  test('a submodule beside the application is none of the plan', async () => {
    const origin = await open()
    const commit = await origin.commit(FIT)
    await origin.git('update-index', '--add', '--cacheinfo', `160000,${commit},vendor/lib`)
    await origin.git('commit', '--quiet', '-m', 'Submodule')
    const { commit: head } = await resolved(origin, null)
    expect(await readFiles(await cloned(origin), origin.target(), head)).toMatchObject({ migrations: [{ name: '20260101_customers' }] })
  })

  test('package.json, schema and lock file with a byte order mark are read as without', async () => {
    const origin = await open()
    const marked = Object.fromEntries(Object.entries(FIT).map(([path, text]) => [path, path.endsWith('.sql') ? text : `\ufeff${text}`]))
    const commit = await origin.commit(marked)
    expect(await readFiles(await cloned(origin), origin.target(), commit)).toMatchObject({ order: 'by-language', migrations: [{}] })
    const elsewhere = await origin.commit({
      'prisma/schema.prisma': '\ufeffdatasource db {\n  provider = "mysql"\n  url = env("DATABASE_URL")\n}\n',
    })
    expect(await readFiles(await cloned(origin), origin.target(), elsewhere)).toMatchObject({ code: 'repository_unfit' })
  })
})
