import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { installStep } from '../../../src/run/steps/checkout.ts'
import type { StepEnd } from '../../../src/request/step.ts'
import { commitTo, git, installCommand, shopRepository } from '../../helpers/sample.ts'
import { SECRET, testRun, type TestRun } from '../../helpers/step-run.ts'

const toClose: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of toClose.splice(0)) await close()
})

const UNTOUCHED = 'Nothing was touched: no backup was made, no migration ran, and the application was left as it was.'
const step = (run: TestRun) => installStep({ home: run.home, varDirectory: run.varDirectory })

test('the approved commit is checked out with its dependencies, and the next run takes them from the cache', async () => {
  const repository = await kept(shopRepository())
  const run = await kept(
    testRun({ repository: repository.path, commit: repository.live, settings: { source: { install: [...installCommand] } } }),
  )
  const end = await run.perform(step(run))
  expect(end).toMatchObject({ kind: 'done', data: { previousCommit: null, cached: false } })
  expect((await git(run.context.checkout, ['rev-parse', 'HEAD'])).trim()).toBe(repository.live)
  expect(await git(run.context.checkout, ['status', '--porcelain'])).toBe('')
  expect((await stat(run.context.checkout)).mode & 0o777).toBe(0o700)
  expect((await stat(join(run.context.checkout, 'node_modules/.bin/prisma'))).isFile()).toBe(true)
  expect(await run.log()).toMatch(/added \d+ packages/)

  const second = await run.another({ requestId: 42, commit: repository.main })
  // the schema is another one, and Prisma's client could have been generated from it: installed again
  expect(await second.perform(step(second))).toMatchObject({ data: { cached: false } })
  const third = await run.another({ requestId: 43, commit: repository.main })
  expect(await third.perform(step(third))).toMatchObject({ kind: 'done', data: { cached: true } })
  expect((await stat(join(third.context.checkout, 'node_modules/.bin/prisma'))).isFile()).toBe(true)
  await writeFile(join(third.context.checkout, 'node_modules/pg/package.json'), 'spoilt')
  const fourth = await run.another({ requestId: 44, commit: repository.main })
  await fourth.perform(step(fourth))
  expect(await readFile(join(fourth.context.checkout, 'node_modules/pg/package.json'), 'utf8')).toContain('"name": "pg"')
})

test('a second try begins anew, whatever the first one left', async () => {
  const run = await littleRun({})
  await mkdir(join(run.context.checkout, 'half'), { recursive: true })
  expect(await run.perform(step(run))).toMatchObject({ kind: 'done' })
  expect(await run.perform(step(run))).toMatchObject({ kind: 'done' })
  expect(await readdir(run.context.checkout)).toEqual(['.git', 'node_modules', 'package-lock.json', 'package.json'])
})

test('installing sees neither the database nor Slack, only what Prisma needs', async () => {
  const run = await littleRun({
    install: ['node', '-e', 'console.log(JSON.stringify(process.env))'],
    tool: { env: { CHECKPOINT_DISABLE: '1' } },
  })
  await run.perform(step(run))
  const env = JSON.parse(await run.log()) as Record<string, string>
  expect(Object.keys(env).filter((name) => /DATABASE|SLACK|PASSWORD/.test(name))).toEqual([])
  expect(env).toMatchObject({ CHECKPOINT_DISABLE: '1', CI: 'true' })
  expect(env['PATH']).not.toContain('node_modules/.bin')
})

test('three installations are kept, the ones used last', async () => {
  const run = await littleRun({})
  const use = async (command: string, requestId: number) => {
    const other = await run.another({ requestId, settings: little({ install: ['sh', '-c', `mkdir -p node_modules/x # ${command}`] }) })
    return other.perform(step(other))
  }
  for (const [index, command] of ['a', 'b', 'c', 'a', 'd'].entries()) await use(command, 50 + index)
  expect(await readdir(join(run.varDirectory, 'modules'))).toHaveLength(3)
  expect(await use('a', 60)).toMatchObject({ data: { cached: true } })
  expect(await use('b', 61)).toMatchObject({ data: { cached: false } })
})

test('two runs that install the same thing at once both get it', async () => {
  const run = await littleRun({})
  const runs = await Promise.all([71, 72, 73].map((requestId) => run.another({ requestId })))
  const ends = await Promise.all(runs.map((one) => one.perform(step(one))))
  expect(ends.map((end) => end.kind)).toEqual(['done', 'done', 'done'])
  expect(await readdir(join(run.varDirectory, 'modules'))).toHaveLength(1)
  for (const one of runs) expect(await readdir(join(one.context.checkout, 'node_modules'))).toEqual(['made'])
})

test('a monorepo is installed where its lock file is, with the modules of every workspace', async () => {
  const repository = await kept(shopRepository())
  const commit = await commitTo(repository.path, {
    subject: 'A monorepo',
    files: { 'packages/api/package.json': '{}', 'packages/web/package.json': '{}' },
  })
  const install = ['sh', '-c', 'mkdir -p node_modules/a packages/web/node_modules/b && ln -s ../packages/api node_modules/api']
  const run = await kept(testRun({ repository: repository.path, commit, settings: { source: { install, directory: 'packages/api' } } }))
  await run.perform(step(run))
  const next = await run.another({ requestId: 42 })
  expect(await next.perform(step(next))).toMatchObject({ data: { cached: true } })
  expect(await readdir(join(next.context.checkout, 'packages/web/node_modules'))).toEqual(['b'])
  expect((await stat(join(next.context.checkout, 'node_modules/api'))).isDirectory()).toBe(true)
})

test('a lock file that does not fit is diagnosed from what npm says, and nothing is kept', async () => {
  const repository = await kept(shopRepository())
  const files = { 'package.json': JSON.stringify({ name: 'shop', version: '1.0.0', dependencies: { pg: '8.0.0' } }) }
  const commit = await commitTo(repository.path, { subject: 'Forget the lock', files })
  const run = await kept(testRun({ repository: repository.path, commit, settings: { source: { install: [...installCommand] } } }))
  const end = failure(await run.perform(step(run)))
  expect(end.outcome.headline).toBe(`*Install failed. ${UNTOUCHED}*`)
  expect(end.outcome.why).toMatch(
    /^`npm ci --prefer-offline --ignore-scripts` ended with exit code 1 after [\d.]+ s\. The lock file does not fit `package\.json`\.$/,
  )
  expect(end.outcome.next).toBe('Run `npm install`, commit the lock file, and ask again for that commit.')
  expect(end.outcome.excerpt).toContain('npm error code EUSAGE')
  expect(await readdir(join(run.varDirectory, 'modules')).catch(() => [])).toEqual([])
})

test('a secret in the output is redacted everywhere, and what looks like a mention stays text', async () => {
  const run = await littleRun({ install: ['sh', '-c', `echo "@channel <!channel> $(printf %s ${SECRET})"; exit 1`] })
  const end = failure(await run.perform(step(run)))
  expect(end.outcome.why).toMatch(/^`sh -c echo "@channel &lt;!channel&gt; \$\(printf %s \[redacted\]\)"; exit 1` ended with exit code 1/)
  expect(end.outcome.excerpt).toBe('@channel <!channel> [redacted]')
  expect(`${JSON.stringify(end)}${await run.log()}${run.reports.join()}`).not.toContain(SECRET)
})

test('npm ci without a lock file says that there is none', async () => {
  const repository = await kept(shopRepository())
  const commit = await commitTo(repository.path, { subject: 'Lose the lock', files: { 'package-lock.json': null } })
  const run = await kept(testRun({ repository: repository.path, commit, settings: { source: { install: [...installCommand] } } }))
  const end = failure(await run.perform(step(run)))
  expect(end.outcome.why).toMatch(/The commit has no lock file, so there is nothing to install from\.$/)
  expect(end.outcome.next).toBe(
    'Commit the lock file (`npm install` writes it) and ask again for that commit, or set `source.install` to a command that needs none.',
  )
})

test('a command that is not there is named with the PATH that was searched', async () => {
  const run = await littleRun({ install: ['pnpm-of-nobody', 'install'] })
  const end = failure(await run.perform(step(run)))
  expect(end.outcome.why).toMatch(
    /^The command `pnpm-of-nobody` was not found\. The PATH of the application's commands is `.+`; `source\.path` in lockkeeper\.yaml sets another\.$/,
  )
})

test('a PATH without Node is said before anything is installed', async () => {
  const run = await littleRun({ path: '/nonexistent' })
  const end = failure(await run.perform(step(run)))
  expect(end.outcome.why).toBe("The application's commands find no `node`: their PATH is `/nonexistent`.")
})

test.each([
  ['npm is not asked', ['npm', 'ci'], /^\w{7}, nothing to install, [\d.]+ s$/, ['.git', 'README.md']],
  ['what installs otherwise runs', ['sh', '-c', 'mkdir vendor'], /^\w{7}, [\d.]+ s$/, ['.git', 'README.md', 'vendor']],
])('an application without package.json, whose tool is none of Node: %s', async (_what, install, output, found) => {
  const repository = await kept(shopRepository())
  const paths = (await git(repository.path, ['ls-tree', '-r', '--name-only', 'main'])).trim().split('\n')
  const files = { ...Object.fromEntries(paths.map((path) => [path, null])), 'README.md': 'Not of Node\n' }
  const commit = await commitTo(repository.path, { files, subject: 'Another language' })
  const command = { name: 'dbmate', applied: 'select version from schema_migrations', run: ['dbmate', 'migrate'] }
  const settings = { source: { install, path: '/usr/bin:/bin' }, tool: { command } }
  const run = await kept(testRun({ repository: repository.path, commit, settings }))
  expect(await run.perform(step(run))).toMatchObject({ kind: 'done', output: expect.stringMatching(output) })
  expect((await readdir(run.context.checkout)).toSorted()).toEqual(found)
})

test('a directory that leads out of the checkout is refused', async () => {
  const repository = await kept(shopRepository())
  const run = await kept(testRun({ repository: repository.path, commit: repository.main, settings: { source: { directory: '../..' } } }))
  expect(failure(await run.perform(step(run))).outcome.why).toBe('The commit has no directory `../..` of its own.')
  const missing = await run.another({ settings: { source: { directory: 'packages/api' } } })
  expect(failure(await missing.perform(step(missing))).outcome.why).toBe('The commit has no directory `packages/api` of its own.')
})

test('a link where node_modules belongs is replaced, not followed', async () => {
  const run = await littleRun({})
  await run.perform(step(run))
  const outside = join(run.home, 'outside')
  await mkdir(outside)
  await writeFile(join(outside, 'precious'), 'x')
  const { takeModules } = await import('../../../src/deploy/modules.ts')
  const [key] = await readdir(join(run.varDirectory, 'modules'))
  const into = join(run.home, 'into')
  await mkdir(into)
  await symlink(outside, join(into, 'node_modules'))
  expect(await takeModules(join(run.varDirectory, 'modules'), key ?? '', into)).toBe(true)
  expect(await readdir(outside)).toEqual(['precious'])
  expect(await readdir(join(into, 'node_modules'))).toEqual(['made'])
})

test('an install that hangs is stopped by its timeout', async () => {
  const run = await littleRun({ install: ['sleep', '600'], installTimeout: '300ms' })
  const end = failure(await run.perform(step(run)))
  expect(end.outcome.why).toBe('`sleep 600` did not end within its timeout of 0.3 s and was stopped.')
})

test('cancelled while installing, it says that nothing was touched', async () => {
  const run = await littleRun({ install: ['sleep', '600'] })
  const performing = run.perform(step(run))
  setTimeout(() => run.abort(true), 200)
  expect(await performing).toEqual({
    kind: 'cancelled',
    output: 'stopped',
    outcome: { headline: `*Stopped while installing. ${UNTOUCHED}*` },
  })
})

test('the live commit is read before anything changes, and a command that does not know it is an error only where it is needed', async () => {
  const run = await littleRun({ current: ['sh', '-c', 'echo 0123456789abcdef0123456789abcdef01234567'] })
  expect(await run.perform(step(run))).toMatchObject({ data: { previousCommit: '0123456789abcdef0123456789abcdef01234567' } })
  const silent = await run.another({ settings: little({ current: ['sh', '-c', 'echo nothing'] }) })
  expect(await silent.perform(step(silent))).toMatchObject({ kind: 'done', data: { previousCommit: null } })
  const needed = await run.another({
    settings: little({ current: ['sh', '-c', 'exit 3'], deploy: [{ run: ['echo', '{previousCommit}'] }] }),
  })
  expect(failure(await needed.perform(step(needed))).outcome.why).toBe(
    'The command `sh -c exit 3`, which should print the live commit, failed with exit code 3.',
  )
  const unknown = await run.another({ settings: little({ deploy: [{ run: ['echo', '{previousCommit}'] }] }) })
  expect(failure(await unknown.perform(step(unknown))).outcome.why).toBe(
    'A step uses {previousCommit}, and which commit is live is not known: nothing was deployed from here yet.',
  )
})

describe('files in Git LFS', () => {
  const content = 'a picture'
  const sha256 = createHash('sha256').update(content).digest('hex')
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${content.length}\n`
  const install = ['sh', '-c', 'mkdir -p node_modules/made && cp logo.png node_modules/made']
  const withLogo = async () => {
    const repository = await kept(shopRepository())
    const files = { '.gitattributes': '*.png filter=lfs\n', 'logo.png': pointer }
    const commit = await commitTo(repository.path, { files, subject: 'A logo' })
    const settings = little({ install, deploy: [{ run: ['rsync', '-a', '{checkout}/', '/srv/shop'], cwd: '/srv' }] })
    return { repository, run: await kept(testRun({ repository: repository.path, commit, settings })) }
  }

  test('are there before the dependencies, where the checkout is deployed', async () => {
    const { repository, run } = await withLogo()
    const stored = join(repository.path, 'lfs/objects', sha256.slice(0, 2), sha256.slice(2, 4))
    await mkdir(stored, { recursive: true })
    await writeFile(join(stored, sha256), content)
    expect(await run.perform(step(run))).toMatchObject({ kind: 'done' })
    expect(run.reports).toContain('fetching 1 file from Git LFS')
    expect(await readFile(join(run.context.checkout, 'node_modules/made/logo.png'), 'utf8')).toBe(content)
  })

  test('that cannot be had end the run before anything is touched, and are left alone where the deployment is elsewhere', async () => {
    const { run } = await withLogo()
    expect(failure(await run.perform(step(run))).outcome).toEqual({
      headline: `*Install failed. ${UNTOUCHED}*`,
      why: `\`logo.png\` is kept in Git LFS and could not be fetched: remote missing object ${sha256}.`,
      next: `Push it from a clone that has it (\`git lfs push --object-id origin ${sha256}\`) and ask again.`,
    })
    const elsewhere = await run.another({ settings: little({ install, deploy: [{ run: ['git', 'checkout', '{commit}'], cwd: '/srv' }] }) })
    expect(await elsewhere.perform(step(elsewhere))).toMatchObject({ kind: 'done' })
    expect(await readFile(join(elsewhere.context.checkout, 'logo.png'), 'utf8')).toBe(pointer)
  })
})

type Little = { install?: string[]; installTimeout?: string; path?: string; tool?: object; current?: string[]; deploy?: object[] }

const little = ({ install = ['sh', '-c', 'mkdir -p node_modules/made'], installTimeout, path, tool, current, deploy }: Little) => ({
  source: { install, ...(installTimeout === undefined ? {} : { installTimeout }), ...(path === undefined ? {} : { path }) },
  ...(tool === undefined ? {} : { tool: { prisma: tool } }),
  ...(current === undefined ? {} : { current }),
  ...(deploy === undefined ? {} : { deploy }),
})

/** A repository with a lock file and nothing else. */
async function littleRun(options: Little): Promise<TestRun> {
  const repository = await kept(shopRepository())
  const paths = (await git(repository.path, ['ls-tree', '-r', '--name-only', 'main'])).trim().split('\n')
  const files = Object.fromEntries(paths.filter((path) => !path.startsWith('package')).map((path) => [path, null]))
  const commit = await commitTo(repository.path, { files, subject: 'Only what is installed' })
  return kept(testRun({ repository: repository.path, commit, settings: little(options) }))
}

function failure(end: StepEnd): Extract<StepEnd, { kind: 'failed' }> {
  if (end.kind !== 'failed') throw new Error(`it did not fail: ${JSON.stringify(end)}`)
  return end
}

async function kept<T extends { readonly close: () => Promise<void> }>(making: Promise<T>): Promise<T> {
  const made = await making
  toClose.push(made.close)
  return made
}
