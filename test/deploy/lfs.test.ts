import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { makeCheckout } from '../../src/deploy/checkout.ts'
import { fetchLfs, type LfsProblem } from '../../src/deploy/lfs.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import { fetchRepository } from '../../src/plan/repository.ts'
import { treeFindings } from '../../src/run/preflight/source.ts'
import { serveRepository } from '../helpers/https-repository.ts'
import { createOrigin, FIT, pathWithoutLfs, type Origin } from '../plan/application/origin.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const ATTRIBUTES = { '.gitattributes': '*.png filter=lfs diff=lfs merge=lfs -text\n' }
const BIG = Buffer.alloc(300_000, 'a picture ')
const sha256 = (content: Buffer | string) => createHash('sha256').update(content).digest('hex')
const pointerOf = (content: Buffer | string, oid = sha256(content)) =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${content.length}\n`
const storeOf = (git: string, oid: string) => join(git, 'lfs/objects', oid.slice(0, 2), oid.slice(2, 4), oid)

async function store(git: string, content: Buffer | string, oid = sha256(content)) {
  await mkdir(dirname(storeOf(git, oid)), { recursive: true })
  await writeFile(storeOf(git, oid), content)
}

/** What `git lfs track` and `git add` leave, by real files in the LFS of the origin. */
async function originWith(files: Readonly<Record<string, Buffer | string>>, format: 'sha1' | 'sha256' = 'sha1') {
  const origin = await createOrigin(undefined, format)
  cleanups.push(() => origin.close())
  for (const content of Object.values(files)) await store(join(origin.directory, '.git'), content)
  const pointers = Object.fromEntries(Object.entries(files).map(([path, content]) => [path, pointerOf(content)]))
  await origin.commit({ ...FIT, ...ATTRIBUTES, ...pointers })
  return origin
}

type Tried = { readonly end: 'whole' | LfsProblem; readonly checkout: string; readonly clone: string; readonly reports: readonly string[] }

async function fetched(
  origin: Origin,
  { directory = '.', env = origin.deps.env, repository: from = origin.directory } = {},
): Promise<Tried> {
  const { source } = origin.target()
  const target = origin.target({ source: { ...source, directory, repository: from } })
  const deps = { ...origin.deps, env }
  const repository = await fetchRepository(deps, target)
  if (isRefusal(repository)) throw new Error(repository.text)
  const commit = await origin.git('rev-parse', 'HEAD')
  const checkout = join(origin.deps.varDirectory, 'checkouts/1')
  await makeCheckout({ deps, repository: repository.directory, directory: checkout, commit })
  const reports: string[] = []
  const end = await fetchLfs({
    deps,
    repository: repository.directory,
    checkout,
    commit,
    target,
    signal: new AbortController().signal,
    report: (details) => void reports.push(details),
    now: Date.now(),
  })
  return { end, checkout, clone: repository.directory, reports }
}

const contentOf = ({ checkout }: Tried, path: string) => readFile(join(checkout, path))

describe('files in Git LFS', () => {
  test.each(['public/logo.png', 'public/a big logo.png', `it's "quoted" $(id) [1]*.png`, 'größe\t✓.png', '-n.png'])(
    'are whole in the checkout: %j',
    async (path) => {
      const tried = await fetched(await originWith({ [path]: BIG }))
      expect(tried).toMatchObject({ end: 'whole', reports: ['fetching 1 file from Git LFS'] })
      expect((await contentOf(tried, path)).equals(BIG)).toBe(true)
    },
  )

  test('in a repository of SHA-256 objects', async () => {
    const tried = await fetched(await originWith({ 'a.png': BIG, 'b/c.png': 'small' }, 'sha256'))
    expect(tried).toMatchObject({ end: 'whole', reports: ['fetching 2 files from Git LFS'] })
    expect((await contentOf(tried, 'b/c.png')).toString()).toBe('small')
  })

  test('of an application in a directory, whatever is missing beside it', async () => {
    const origin = await originWith({ 'apps/my shop/a.png': BIG, 'apps/api/a.png': 'api' })
    await origin.commit({ 'docs/lost.png': pointerOf('nobody pushed this') })
    for (const [directory, content] of [
      ['apps/my shop', BIG],
      ['apps/api', 'api'],
    ] as const) {
      const tried = await fetched(origin, { directory })
      expect(tried.end).toBe('whole')
      expect((await contentOf(tried, `${directory}/a.png`)).equals(Buffer.from(content))).toBe(true)
      expect((await contentOf(tried, 'docs/lost.png')).toString()).toBe(pointerOf('nobody pushed this'))
    }
  })

  test('a pointer that no attribute names is the file for everybody', async () => {
    const origin = await originWith({ 'a.png': BIG })
    await origin.commit({ 'test/pointer.txt': pointerOf('a fixture') })
    const tried = await fetched(origin)
    expect(tried.end).toBe('whole')
    expect((await contentOf(tried, 'test/pointer.txt')).toString()).toBe(pointerOf('a fixture'))
  })

  test('an application without any is left alone', async () => {
    expect(await fetched(await originWith({}))).toMatchObject({ end: 'whole', reports: [] })
  })
})

const another = (content: string) => ({
  why: `\`a.png\` is kept in Git LFS, and what was fetched is not the file that its pointer names (SHA-256 \`${sha256(content)}\`, ${content.length} bytes).`,
  next: `Ask again; it is then fetched anew. If it comes out the same, push the file from a clone that has it: \`git lfs push --object-id origin ${sha256(content)}\`.`,
})

describe('is told and goes no further', () => {
  test('a file that was never pushed', async () => {
    const origin = await originWith({ 'a.png': BIG })
    const lost = 'nobody pushed this'
    await origin.commit({ 'lost file.png': pointerOf(lost) })
    expect((await fetched(origin)).end).toEqual({
      why: `\`lost file.png\` is kept in Git LFS and could not be fetched: remote missing object ${sha256(lost)}.`,
      next: `Push it from a clone that has it (\`git lfs push --object-id origin ${sha256(lost)}\`) and ask again.`,
    })
  })

  test('another content at the origin', async () => {
    const origin = await originWith({})
    await store(join(origin.directory, '.git'), 'wrong', sha256('right'))
    await origin.commit({ 'a.png': pointerOf('right') })
    expect((await fetched(origin)).end).toEqual(another('right'))
  })

  test('another content of the same size in the clone, which the next attempt fetches anew', async () => {
    const origin = await originWith({ 'a.png': 'right' })
    const first = await fetched(origin)
    await rm(storeOf(first.clone, sha256('right')))
    await store(first.clone, 'wrong', sha256('right'))
    expect((await fetched(origin)).end).toEqual(another('right'))
    const again = await fetched(origin)
    expect(again.end).toBe('whole')
    expect((await contentOf(again, 'a.png')).toString()).toBe('right')
  })

  test('a machine without git-lfs', async () => {
    const origin = await originWith({ 'a.png': BIG, 'b.png': 'b' })
    const env = { ...origin.deps.env, PATH: await pathWithoutLfs(origin.deps.home) }
    expect((await fetched(origin, { env })).end).toEqual({
      why: '`a.png` and `b.png` are kept in Git LFS, and git-lfs is not installed where Lockkeeper runs.',
      next: 'Install it there and ask again.',
    })
  })
})

describe('over https', () => {
  const login = { user: 'deploy', password: 'canary/2026' }
  const serve = async (files: Readonly<Record<string, Buffer | string>>) => {
    const origin = await originWith(files)
    const host = await serveRepository(join(origin.directory, '.git'), login)
    cleanups.push(host.close)
    for (const content of Object.values(files)) host.lfs.set(sha256(content), Buffer.from(content))
    await host.trustIn(join(origin.deps.varDirectory, 'repositories/prod.git'))
    return { origin, host, repository: host.url }
  }

  test('files come with the login, which their storage elsewhere does not see', async () => {
    const { origin, host, repository } = await serve({ 'a.png': BIG, 'b.png': 'b' })
    const tried = await fetched(origin, { repository })
    expect(tried.end).toBe('whole')
    expect((await contentOf(tried, 'a.png')).equals(BIG)).toBe(true)
    expect(host.broughtToLfs).toEqual([undefined, undefined])
    expect(host.calls.refused).toBe(0)
  })

  test('what .lfsconfig names is not asked', async () => {
    const { origin, repository } = await serve({ 'a.png': BIG })
    const other = await serve({ 'a.png': BIG })
    const url = `${new URL(other.repository).origin}/shop.git/info/lfs`
    await origin.commit({ '.lfsconfig': `[lfs]\n\turl = ${url}\n[remote "origin"]\n\tlfsurl = ${url}\n` })
    expect((await fetched(origin, { repository })).end).toBe('whole')
    expect({ ...other.host.calls, brought: other.host.broughtToLfs }).toEqual({ allowed: 0, refused: 0, brought: [] })
  })

  test('a file that the host does not have, and one that is another', async () => {
    const { origin, host, repository } = await serve({ 'a.png': 'right' })
    host.lfs.set(sha256('right'), Buffer.from('wrong'))
    expect((await fetched(origin, { repository })).end).toEqual(another('right'))
    host.lfs.clear()
    expect((await fetched(origin, { repository })).end).toEqual({
      why: '`a.png` is kept in Git LFS and could not be fetched: Object does not exist on the server: [404] Object does not exist on the server.',
      next: `Push it from a clone that has it (\`git lfs push --object-id origin ${sha256('right')}\`) and ask again.`,
    })
  })

  test('a host that turns the bot away', async () => {
    const { origin, host, repository } = await serve({ 'a.png': 'right' })
    host.refuseLfsWith('LFS is not for you')
    expect((await fetched(origin, { repository })).end).toEqual({
      why: '`a.png` is kept in Git LFS and could not be fetched: LFS is not for you.',
      next: "Check that the bot may read the repository's LFS, and ask again.",
    })
  })
})

test('over ssh the host says where its files are and what to show there', async () => {
  const origin = await originWith({ 'a.png': BIG })
  const login = { user: 'ssh', password: 'for-an-hour' }
  const host = await serveRepository(join(origin.directory, '.git'), login)
  cleanups.push(host.close)
  host.lfs.set(sha256(BIG), BIG)
  await host.trustIn(join(origin.deps.varDirectory, 'repositories/prod.git'))
  const header = { Authorization: `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}` }
  const answer = JSON.stringify({ href: `${new URL(host.url).origin}/shop.git/info/lfs`, header })
  const programs = join(origin.deps.home, 'programs')
  await mkdir(programs)
  // stands for a host: the last argument is what is to be done there
  const ssh = `#!/bin/sh
for last; do :; done
case "$*" in
  *git-lfs-authenticate*) echo '${answer}';;
  *git-upload-pack*) exec sh -c "$last";;
  *) exit 127;;
esac
`
  await writeFile(join(programs, 'ssh'), ssh, { mode: 0o755 })
  const env = { ...origin.deps.env, PATH: `${programs}:${origin.deps.env['PATH']}` }
  const tried = await fetched(origin, { repository: `ssh://git@shop.example${origin.directory}/.git`, env })
  expect(tried.end).toBe('whole')
  expect((await contentOf(tried, 'a.png')).equals(BIG)).toBe(true)
  expect(host.calls).toEqual({ allowed: 1, refused: 0 })
})

describe('.lfsconfig', () => {
  test('that names another place is not followed, nor what it leaves out', async () => {
    const [origin, other] = [await originWith({ 'a.png': BIG }), await originWith({ 'a.png': 'from elsewhere' })]
    const url = `file://${other.directory}`
    await origin.commit({
      '.lfsconfig': `[lfs]\n\turl = ${url}\n\tfetchexclude = *.png\n\tskipdownloaderrors = true\n[remote "origin"]\n\tlfsurl = ${url}\n`,
    })
    const tried = await fetched(origin)
    expect(tried.end).toBe('whole')
    expect((await contentOf(tried, 'a.png')).equals(BIG)).toBe(true)
    await origin.commit({ 'b.png': pointerOf('from elsewhere') })
    const end = await fetched(origin)
    expect(end.end).toEqual({
      why: `\`b.png\` is kept in Git LFS and could not be fetched: remote missing object ${sha256('from elsewhere')}. \`.lfsconfig\` of the commit names a place of its own, which is not followed: files come from \`source.repository\` alone.`,
      next: `Push it from a clone that has it (\`git lfs push --object-id origin ${sha256('from elsewhere')}\`) and ask again.`,
    })
    expect(existsSync(storeOf(end.clone, sha256('from elsewhere')))).toBe(false)
  })
})

test('a checkout with pointers, where the deployment is elsewhere, is unchanged without git-lfs as well', async () => {
  const origin = await originWith({ 'a.png': BIG })
  const env = { ...origin.deps.env, PATH: await pathWithoutLfs(origin.deps.home) }
  const { checkout } = await fetched(origin, { env })
  await utimes(join(checkout, 'a.png'), 1, 1)
  expect(await treeFindings({ ...origin.deps, env }, checkout, await origin.git('rev-parse', 'HEAD'))).toEqual([])
})

test('the checkout of an earlier attempt is unchanged, until a file in it is', async () => {
  const origin = await originWith({ 'a b.png': BIG })
  const { checkout, end } = await fetched(origin)
  expect(end).toBe('whole')
  const commit = await origin.git('rev-parse', 'HEAD')
  expect(await treeFindings(origin.deps, checkout, commit)).toEqual([])
  await utimes(join(checkout, 'a b.png'), 1, 1) // then git reads it
  expect(await treeFindings(origin.deps, checkout, commit)).toEqual([])
  await writeFile(join(checkout, 'a b.png'), Buffer.alloc(BIG.length))
  expect(await treeFindings(origin.deps, checkout, commit)).toMatchObject([
    { text: 'The checkout of this run was changed by hand: `M "a b.png"`. Ask again; a new one is made.' },
  ])
})
