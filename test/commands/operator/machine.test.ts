import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { captureChild } from '../../../src/process/capture.ts'
import { createRedactor } from '../../../src/redact/redact.ts'
import { BIN, lockkeeper, ROOT } from './lockkeeper.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-machine-'))
})

afterEach(() => rm(directory, { recursive: true, force: true }))

const isRoot = process.getuid?.() === 0
const CLIENTS_MISSING = 'pg_dump and pg_restore are missing: backups are made and checked with them.'

test('a machine that has everything is left alone', async () => {
  await program('git', '')
  await program('git-lfs', '')
  await program('pg_dump', '')
  await program('pg_restore', '')
  expect(await ensure()).toEqual({ code: 0, out: '', err: '' })
})

test('what is missing is installed by root, and anybody else is told the command', async () => {
  await program('apt-get', 'case $1 in install) for p in git git-lfs pg_dump pg_restore; do : > "${0%/*}/$p"; done;; esac')
  const typed = process.platform === 'darwin' ? 'brew install libpq git git-lfs' : 'sudo apt-get install postgresql-client git git-lfs'
  expect(await ensure()).toEqual(
    isRoot
      ? { code: 0, out: 'Installing postgresql-client and git and git-lfs with apt-get ...\n', err: '' }
      : {
          code: 1,
          out: '',
          err: `${CLIENTS_MISSING} git is missing: the repository of the application is read with it. git-lfs is missing: files of the application that are in Git LFS are fetched with it. Type: ${typed}\n`,
        },
  )
})

test('when apt-get fails its reason and the command to type are told', async () => {
  await program('git', '')
  await program('git-lfs', '')
  await program('apt-get', 'echo "E: no network" >&2; exit 100')
  const typed = process.platform === 'darwin' ? 'brew install libpq' : `${isRoot ? '' : 'sudo '}apt-get install postgresql-client`
  expect(await ensure()).toEqual({
    code: 1,
    out: isRoot ? 'Installing postgresql-client with apt-get ...\n' : '',
    err: `${isRoot ? 'E: no network\n' : ''}${CLIENTS_MISSING} Type: ${typed}\n`,
  })
})

test('forgotten dependencies are named before anything else, by the script and by bin/lockkeeper', async () => {
  await mkdir(join(directory, 'clone/scripts'), { recursive: true })
  await mkdir(join(directory, 'clone/bin'))
  await cp(join(ROOT, 'scripts/ensure-machine.mjs'), join(directory, 'clone/scripts/ensure-machine.mjs'))
  await cp(BIN, join(directory, 'clone/bin/lockkeeper'))
  expect(await ensure(join(directory, 'clone/scripts/ensure-machine.mjs'))).toEqual({
    code: 1,
    out: '',
    err: `The dependencies are not installed. Run npm ci in ${join(directory, 'clone')} first.\n`,
  })
  expect(await lockkeeper(['help'], { cwd: directory, bin: join(directory, 'clone/bin/lockkeeper') })).toEqual({
    code: 69,
    out: '',
    err: `lockkeeper: the dependencies are not installed. Run 'npm ci' in ${join(directory, 'clone')}.\n`,
  })
})

/** With nothing on PATH but what the test put there. */
async function ensure(script = join(ROOT, 'scripts/ensure-machine.mjs')) {
  const end = await captureChild({
    argv: [process.execPath, script],
    cwd: directory,
    env: { PATH: directory, POSTGRESQL_INSTALLATIONS: join(directory, 'none') },
    redactor: createRedactor([]),
    timeoutMs: 30_000,
  })
  return { code: end.exitCode, out: end.stdout.toString('utf8'), err: end.stderr }
}

async function program(name: string, body: string): Promise<void> {
  await writeFile(join(directory, name), `#!/bin/sh\n${body}\n`)
  await chmod(join(directory, name), 0o755)
}
