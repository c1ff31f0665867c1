import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { lockkeeper, ROOT } from '../commands/operator/lockkeeper.ts'

const VERSION = { code: 0, out: `lockkeeper ${packageJson.version}\n`, err: '' }

/** Below the cache of a user. */
const KEPT = join('lockkeeper', `without-types-${process.version}`)

test('sources are kept without their types by the first start, whole, and the next one takes them from there', async () => {
  const cache = await temporaryDirectory()
  const start = () => lockkeeper(['--version'], { cwd: cache, env: { XDG_CACHE_HOME: cache } })
  expect(await start()).toEqual(VERSION)
  const kept = join(cache, KEPT, await nameOf('src/app/main.ts'))
  expect(await readFile(kept, 'utf8')).toContain('async function main(argv                   )')
  expect((await readdir(join(cache, KEPT))).filter((name) => !name.endsWith('.js'))).toEqual([])
  await writeFile(kept, `console.log('from there')`)
  expect(await start()).toEqual({ code: 0, out: 'from there\n', err: '' })
})

test('a directory that others may write gives nothing, and one that cannot be written costs only time', async () => {
  const cache = await temporaryDirectory()
  await mkdir(join(cache, KEPT), { recursive: true })
  await writeFile(join(cache, KEPT, await nameOf('src/app/main.ts')), `console.log('of somebody else')`)
  await chmod(join(cache, KEPT), 0o777)
  expect(await lockkeeper(['--version'], { cwd: cache, env: { XDG_CACHE_HOME: cache } })).toEqual(VERSION)
  expect(await lockkeeper(['--version'], { cwd: cache, env: { XDG_CACHE_HOME: '/dev/null/nowhere' } })).toEqual(VERSION)
})

const nameOf = async (path: string) =>
  `${createHash('sha256')
    .update(await readFile(join(ROOT, path), 'utf8'))
    .digest('hex')}.js`

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-cache-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}
