import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CommandSettings } from '../../../src/config/schema.ts'
import { bareCloneOf } from '../../../src/deploy/checkout.ts'
import { createRedactor } from '../../../src/redact/redact.ts'
import { liveCheckoutFindings, switchesIn, switchOf } from '../../../src/run/preflight/live-checkout.ts'
import { temporaryDirectory } from '../../helpers/backup.ts'

const run = promisify(execFile)
let root: string
let live: string
let commit: string
let remove: () => Promise<unknown>

/** The live checkout is at the first commit and has never heard of the second one, which is approved: only our own clone has it. */
beforeEach(async () => {
  const temporary = await temporaryDirectory()
  ;({ path: root, remove } = temporary)
  const origin = join(root, 'origin')
  live = join(root, 'live shop')
  await mkdir(origin)
  await git(origin, 'init', '--quiet', '--initial-branch=main')
  await write(origin, { 'server.js': 'one\n', 'notes.txt': 'one\n', '.gitignore': 'local.env\n' })
  await git(origin, 'add', '.')
  await git(origin, 'commit', '--quiet', '--message=first')
  await git(root, 'clone', '--quiet', origin, live)
  await write(origin, { 'server.js': 'two\n', 'worker.js': 'two\n', 'local.env': 'of the repository\n' })
  await git(origin, 'add', '--force', '.')
  await git(origin, 'commit', '--quiet', '--message=second')
  commit = await git(origin, 'rev-parse', 'HEAD')
  await git(root, 'clone', '--quiet', '--bare', origin, bareCloneOf(join(root, 'var'), 'prod'))
})
afterEach(() => remove())

const git = (directory: string, ...args: readonly string[]): Promise<string> =>
  run('git', ['-C', directory, '-c', 'user.name=Test', '-c', 'user.email=test@example.com', ...args]).then(({ stdout }) => stdout.trim())

async function write(directory: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
}

const settings = (over: Partial<CommandSettings>): CommandSettings => ({
  name: 'Switch',
  run: ['git', 'checkout', '--quiet', '--detach', '{commit}'],
  cwd: live,
  env: {},
  timeout: 60_000,
  database: false,
  shell: false,
  ...over,
})

async function found(over: Partial<CommandSettings> = {}, approved = commit): Promise<readonly string[]> {
  const deps = { home: root, varDirectory: join(root, 'var'), redactor: createRedactor([]), env: process.env }
  const steps = [{ phase: 'deploy' as const, name: 'Switch', settings: settings(over) }]
  const findings = await liveCheckoutFindings(
    deps,
    { name: 'prod', path: process.env['PATH'] ?? '' },
    approved,
    switchesIn({ steps }, root),
  )
  return findings.map(({ level, text }) => `${level}: ${text.replaceAll(root, '/srv')}`)
}

test('a clean checkout that has not heard of the commit yet has nothing in the way, and keeps its index as it was', async () => {
  const before = await readFile(join(live, '.git/index'))
  await utimes(join(live, 'server.js'), 1, 1) // touched, not changed
  expect(await found()).toEqual([])
  expect((await readFile(join(live, '.git/index'))).equals(before)).toBe(true)
})

test('a file that was changed by hand and is another in the commit stops the run before the backup', async () => {
  await write(live, { 'server.js': 'a quick fix\n' })
  expect(await found()).toEqual([
    'stop: The step `Switch` would be refused by git after the migrations: in `/srv/live shop` 1 file (`server.js`) was changed or added by hand, and the approved commit has it otherwise. Put it back or away there (`git stash --include-untracked`).',
  ])
})

test('a file that git does not know and that the commit brings is in the way too', async () => {
  await write(live, { 'worker.js': 'tried here\n', 'server.js': 'a quick fix\n' })
  expect(await found()).toEqual([
    'stop: The step `Switch` would be refused by git after the migrations: in `/srv/live shop` 2 files (`server.js` and `worker.js`) were changed or added by hand, and the approved commit has them otherwise. Put them back or away there (`git stash --include-untracked`).',
  ])
})

test('what was only staged counts, and so does a deleted file', async () => {
  await write(live, { 'server.js': 'a quick fix\n' })
  await git(live, 'add', 'server.js')
  expect(await found()).toHaveLength(1)
  await git(live, 'reset', '--quiet', '--hard')
  await rm(join(live, 'notes.txt'))
  expect(await found()).toEqual([
    'warn: In `/srv/live shop` 1 file (`notes.txt`) was changed or added by hand. The step `Switch` leaves it so, so what will be live is not exactly the approved commit.',
  ])
})

test('a step that forces is not refused, so what it overwrites is said', async () => {
  await write(live, { 'server.js': 'a quick fix\n' })
  const line = 'warn: The step `Switch` overwrites what was changed by hand in `/srv/live shop`: `server.js`.'
  expect(await found({ run: ['git', 'checkout', '--force', '{commit}'] })).toEqual([line])
  expect(await found({ run: ['git', '-C', live, 'reset', '--hard', '{commit}'], cwd: undefined })).toEqual([line])
})

test('git agrees with what is said: the very step is run afterwards', async () => {
  const real = () =>
    git(live, 'fetch', '--quiet')
      .then(() => git(live, 'checkout', '--quiet', '--detach', commit))
      .then(
        () => 'done',
        () => 'refused',
      )
  await write(live, { 'server.js': 'a quick fix\n' })
  expect([(await found())[0]?.slice(0, 4), await real()]).toEqual(['stop', 'refused'])
  await git(live, 'checkout', '--quiet', 'server.js')
  await write(live, { 'notes.txt': 'by hand\n', 'local.env': 'ignored, so git overwrites it\n' })
  expect([(await found())[0]?.slice(0, 4), await real()]).toEqual(['warn', 'done'])
})

test('a directory that is no checkout is said, and the run decides nothing from it', async () => {
  const other = join(root, 'other')
  await mkdir(other)
  expect(await found({ cwd: other })).toEqual([
    'warn: Whether git will let the step `Switch` switch `/srv/other` could not be found out: `fatal: not a git repository (or any of the parent directories): .git`.',
  ])
})

test.each([
  ['in the run’s own checkout', { cwd: undefined }],
  ['in a directory below it', { run: ['git', '-C', 'app', 'checkout', '{commit}'], cwd: undefined }],
  ['in a place with a placeholder', { cwd: '{checkout}/app' }],
  ['through a shell', { run: ['git checkout {commit}'], shell: true }],
  ['of one path', { run: ['git', 'checkout', '{commit}', '--', 'server.js'] }],
  ['of another commit', { run: ['git', 'checkout', 'main'] }],
  ['by another verb', { run: ['git', 'fetch', 'origin', '{commit}'] }],
  ['by another program', { run: ['checkout', '{commit}'] }],
  ['with an environment of git’s own', { env: { GIT_DIR: '/srv/other' } }],
  ['that merges by itself', { run: ['git', 'checkout', '-m', '{commit}'] }],
])('a switch %s is not judged', (_, over) => {
  expect(switchOf(settings(over as Partial<CommandSettings>), '/home')).toBeNull()
})

test.each([
  [['git', '-C', '/srv/a', 'switch', '--detach', '{commit}'], undefined, '/srv/a'],
  [['/usr/bin/git', '-c', 'advice.detachedHead=false', 'checkout', '{commit}'], '/srv/b', '/srv/b'],
  [['git', '-C', 'nested', 'checkout', '{commit}'], '/srv/b', '/srv/b/nested'],
  [['git', '--no-pager', 'checkout', '{commit}'], 'relative', '/home/relative'],
])('%j in %s is judged in %s', (argv, cwd, directory) => {
  expect(switchOf(settings({ run: argv, cwd }), '/home')?.directory).toBe(directory)
})
