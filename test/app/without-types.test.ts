import { createHash } from 'node:crypto'
import { chmod, cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { captureChild } from '../../src/process/capture.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { ROOT } from '../commands/operator/lockkeeper.ts'

const VERSION = `lockkeeper ${packageJson.version}\n`

test('sources are kept without their types beside them by the first start, whole, and the next one takes them from there', async () => {
  const { start, kept } = await installation()
  expect(await start()).toBe(VERSION)
  const main = join(kept, await nameOf('src/app/main.ts'))
  expect(await readFile(main, 'utf8')).toContain('async function main(argv                   )')
  expect((await readdir(kept)).filter((name) => !name.endsWith('.js'))).toEqual([])
  await writeFile(main, `console.log('from there')\n// whole\n`)
  expect(await start()).toBe('from there\n')
})

test.each([
  ['nothing', ''],
  ['its first half', 'async function main('],
  ['zeros', '\0'.repeat(4_096)],
])('a file of which a crash of the machine left %s is made again', async (_, left) => {
  const { start, kept } = await installation()
  expect(await start()).toBe(VERSION)
  const clock = join(kept, await nameOf('src/lib/clock.ts'))
  const whole = await readFile(clock, 'utf8')
  await writeFile(clock, left)
  expect(await start()).toBe(VERSION)
  expect(await readFile(clock, 'utf8')).toBe(whole)
})

test('a directory that others may write gives nothing', async () => {
  const { start, kept } = await installation()
  expect(await start()).toBe(VERSION)
  await writeFile(join(kept, await nameOf('src/app/main.ts')), `console.log('of somebody else')\n// whole\n`)
  await chmod(kept, 0o777)
  expect(await start()).toBe(VERSION)
})

test('what the bot starts keeps and reads what it loads itself, and no more', async () => {
  const { root, kept } = await installation()
  const wrapper = join(root, 'src/migrate/attempts/wrapper.ts')
  await captureChild({
    argv: [process.execPath, '--import', join(root, 'bin/without-types.mjs'), wrapper, root, 'true'],
    cwd: root,
    env: { PATH: '/usr/bin:/bin' },
    redactor: createRedactor([]),
  })
  expect(JSON.parse(await readFile(join(root, 'exit.json'), 'utf8'))).toEqual({ exitCode: 0, signal: null })
  const loaded = ['src/lib/durable-file.ts', 'src/migrate/attempts/wrapper.ts', 'src/process/process-id.ts']
  expect((await readdir(kept)).toSorted()).toEqual((await Promise.all(loaded.map(nameOf))).toSorted())
})

/** The product as somebody installs it, in a directory of its own. */
async function installation() {
  const root = await mkdtemp(join(tmpdir(), 'lockkeeper-installed-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  for (const part of ['bin', 'src', 'commands', 'approvals', 'package.json'])
    await cp(join(ROOT, part), join(root, part), { recursive: true })
  await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'))
  return {
    root,
    kept: join(root, '.build', `without-types-${process.version}`),
    async start() {
      const end = await captureChild({
        argv: [join(root, 'bin/lockkeeper'), '--version'],
        cwd: root,
        env: { PATH: '/usr/bin:/bin' },
        redactor: createRedactor([]),
      })
      return end.stdout.toString('utf8')
    },
  }
}

const nameOf = async (path: string) =>
  `${createHash('sha256')
    .update(await readFile(join(ROOT, path), 'utf8'))
    .digest('hex')}.js`
