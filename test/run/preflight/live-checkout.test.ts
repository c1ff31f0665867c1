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

const inTheWay = (names: string, it: string) =>
  `stop: The step \`Switch\` would be refused by git after the migrations: in \`/srv/live shop\` ${names} by hand, and the approved commit has ${it} otherwise. Put ${it} back or away there (\`git stash --include-untracked\`).`

test('what git ignores there is overwritten by what the commit brings, file or directory, unless it is the same', async () => {
  await write(live, { 'local.env': 'of the repository\n' })
  expect(await found()).toEqual([])
  await write(live, { 'local.env': 'of this machine\n' })
  const sentence = (step: string) =>
    `warn: In \`/srv/live shop\` git ignores \`local.env\`, and the approved commit brings it. The step \`${step}\` overwrites it without asking. Copy it away first if it is needed.`
  expect(await found()).toEqual([sentence('Switch')])
  await rm(join(live, 'local.env'))
  await mkdir(join(live, 'local.env'))
  await write(live, { 'local.env/key': 'of this machine\n' })
  expect(await found()).toEqual([sentence('Switch')])
  await git(live, 'fetch', '--quiet')
  await git(live, 'checkout', '--quiet', '--detach', commit)
  expect(await readFile(join(live, 'local.env'), 'utf8')).toBe('of the repository\n')
})

test('a step that forces overwrites also what git does not know', async () => {
  await write(live, { 'worker.js': 'by hand\n' })
  expect(await found({ run: ['git', 'reset', '--quiet', '--hard', '{commit}'] })).toEqual([
    'warn: The step `Switch` overwrites what was changed by hand in `/srv/live shop`: `worker.js`.',
  ])
  await git(live, 'fetch', '--quiet')
  await git(live, 'reset', '--quiet', '--hard', commit)
  expect(await readFile(join(live, 'worker.js'), 'utf8')).toBe('two\n')
})

test('a file that was changed in the second in which git looked last, without a change of its size, is seen', async () => {
  const second = 1_000_000_000
  await git(live, 'config', 'core.trustctime', 'false')
  await utimes(join(live, 'server.js'), second, second)
  await git(live, 'update-index', '--refresh')
  await write(live, { 'server.js': 'uno\n' })
  for (const name of ['server.js', '.git/index']) await utimes(join(live, name), second, second)
  expect(await found()).toEqual([inTheWay('1 file (`server.js`) was changed or added', 'it')])
})

test('a step that works in a directory of the checkout has its whole in the way, with commands that work at its top', async () => {
  await mkdir(join(live, 'deep'))
  await git(live, 'update-index', '--skip-worktree', 'server.js')
  await write(live, { 'server.js': 'a quick fix\n', 'worker.js': 'by hand\n' })
  expect(await found({ cwd: join(live, 'deep') })).toEqual([
    'stop: The step `Switch` would be refused by git after the migrations: in `/srv/live shop` 2 files (`server.js` and `worker.js`) were changed or added by hand, and the approved commit has them otherwise. Put them back or away there (first `git update-index --no-skip-worktree -- server.js`, then `git stash --include-untracked`).',
  ])
})

test('a name that git quotes in its words is whole', async () => {
  const name = "it's\nodd.js"
  await write(join(root, 'origin'), { [name]: 'two\n' })
  await git(join(root, 'origin'), 'add', '.')
  await git(join(root, 'origin'), 'commit', '--quiet', '--message=third')
  await git(bareCloneOf(join(root, 'var'), 'prod'), 'fetch', '--quiet', join(root, 'origin'), 'main')
  await write(live, { [name]: 'by hand\n' })
  const third = await git(join(root, 'origin'), 'rev-parse', 'HEAD')
  expect(await found({}, third)).toEqual([inTheWay("1 file (`it's odd.js`) was changed or added", 'it')])
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

const refused = 'The step `Switch` would be refused by git after the migrations'

/** Two branches that changed the same line, one being brought into the other. */
async function conflict(by: 'merge' | 'rebase'): Promise<void> {
  for (const name of ['theirs', 'ours']) {
    await git(live, 'checkout', '--quiet', '-b', name, 'main')
    await write(live, { 'notes.txt': `${name}\n` })
    await git(live, 'commit', '--quiet', '--all', `--message=${name}`)
  }
  await git(live, by, 'theirs').catch(() => {})
}

test.each([
  ['a file that is another', () => write(live, { 'server.js': 'by hand\n' })],
  ['a directory where a file comes', () => mkdir(join(live, 'worker.js')).then(() => writeFile(join(live, 'worker.js/a'), ''))],
  ['a file that was announced', () => write(live, { 'worker.js': 'x\n' }).then(() => git(live, 'add', '--intent-to-add', 'worker.js'))],
  [
    'a file that is overlooked',
    () => git(live, 'update-index', '--assume-unchanged', 'server.js').then(() => write(live, { 'server.js': 'x\n' })),
  ],
  [
    'a file that is skipped',
    () => git(live, 'update-index', '--skip-worktree', 'server.js').then(() => write(live, { 'server.js': 'x\n' })),
  ],
  ['a merge', () => conflict('merge')],
  ['a rebase', () => conflict('rebase')],
])('what is advised works as it stands: %s', async (_, prepare) => {
  await prepare()
  const [line = '', ...more] = await found()
  expect([more, line.startsWith(`stop: ${refused}`)]).toEqual([[], true])
  for (const [, command = ''] of line.matchAll(/`(git [^`]+)`/g)) await run('sh', ['-c', command], { cwd: live })
  expect(await found()).toEqual([])
})

test('what git was told to overlook, what is not finished and a lock are named with what ends it', async () => {
  await git(live, 'update-index', '--skip-worktree', 'server.js')
  await write(live, { 'server.js': 'by hand\n' })
  expect(await found()).toEqual([
    `stop: ${refused}: in \`/srv/live shop\` 1 file (\`server.js\`) was changed or added by hand, and the approved commit has it otherwise. Put it back or away there (first \`git update-index --no-skip-worktree -- server.js\`, then \`git stash --include-untracked\`).`,
  ])
  await git(live, 'update-index', '--no-skip-worktree', 'server.js')
  await git(live, 'checkout', '--quiet', '--', 'server.js')
  await conflict('merge')
  expect(await found()).toEqual([
    `stop: ${refused}: in \`/srv/live shop\` a merge is not finished, and \`notes.txt\` has conflicts. Finish it there, or give it up: \`git merge --abort\`.`,
  ])
  expect(await found({ run: ['git', 'checkout', '--force', '{commit}'] })).toHaveLength(1)
  await git(live, 'checkout', '--quiet', '--ours', 'notes.txt')
  await git(live, 'add', 'notes.txt')
  expect(await found()).toEqual([])
  expect(await found({ run: ['git', 'switch', '--detach', '{commit}'] })).toEqual([
    `stop: ${refused}: in \`/srv/live shop\` a merge is not finished. Finish it there, or give it up: \`git merge --abort\`.`,
  ])
  await writeFile(join(live, '.git/index.lock'), '')
  expect(await found()).toEqual([
    `stop: ${refused} if \`/srv/live shop/.git/index.lock\` were still there: another git command works in \`/srv/live shop\`, or one was killed. When none does any more, remove that file.`,
  ])
})

test('a checkout without an index, without a commit or not there at all is a finding and no fault', async () => {
  await rm(join(live, '.git/index'))
  expect((await found())[0]).toMatch(/^stop: The step `Switch` would be refused by git after the migrations: /)
  await rm(live, { recursive: true })
  expect(await found()).toEqual([
    'warn: `/srv/live shop`, where the step `Switch` works, does not exist. Unless a step before it makes that directory, the step will fail after the migrations.',
  ])
  await git(root, 'init', '--quiet', live)
  expect((await found())[0]).toMatch(/^warn: Whether git will let the step `Switch` switch /)
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
