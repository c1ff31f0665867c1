import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findClients, installCommand, majorOf, type ClientSearch } from '../../../src/backup/providers/clients.ts'
import { quiet, script, temporaryDirectory } from '../../helpers/backup.ts'

let root: string
let remove: () => Promise<void>
beforeEach(async () => ({ path: root, remove } = await temporaryDirectory()))
afterEach(() => remove())

/** A directory with clients that say this version. */
async function install(name: string, version: string, refusal = 'could not translate "/nonexistent"'): Promise<string> {
  const directory = join(root, name)
  await mkdir(directory, { recursive: true })
  const text = `#!/bin/sh\nif [ "$1" = --version ]; then echo "pg_dump (PostgreSQL) ${version}"; else echo '${refusal}' >&2; exit 1; fi\n`
  await script(join(directory, 'pg_dump'), text)
  await script(join(directory, 'pg_restore'), text)
  return directory
}

const find = (over: Partial<ClientSearch> = {}) =>
  findClients({
    directory: undefined,
    serverMajor: 15,
    env: { PATH: '/nowhere' },
    redactor: quiet,
    platform: 'linux',
    installations: [],
    ...over,
  })

describe('pg_dump is taken from', () => {
  test('the configured directory', async () => {
    const directory = await install('ours', '15.2')
    expect(await find({ directory })).toEqual({
      pgDump: join(directory, 'pg_dump'),
      pgRestore: join(directory, 'pg_restore'),
      version: '15.2',
      major: 15,
      compression: 'gzip',
    })
  })

  test('PATH when nothing is configured', async () => {
    const directory = await install('path', '17.1 (Homebrew)')
    expect(await find({ env: { PATH: `/nowhere:${directory}` } })).toMatchObject({ pgDump: join(directory, 'pg_dump'), version: '17.1' })
  })

  test('the newest installation when PATH has none', async () => {
    await install('postgresql/9.6/bin', '9.6.24')
    const newest = await install('postgresql/17/bin', '17.2')
    await install('postgresql/16/bin', '16.9')
    expect(await find({ installations: [join(root, 'postgresql')] })).toMatchObject({ pgDump: join(newest, 'pg_dump'), major: 17 })
  })

  test('an installation when the one in PATH is older than the server', async () => {
    const old = await install('path', '13.4')
    const newer = await install('postgresql/16/bin', '16.9')
    expect(await find({ env: { PATH: old }, installations: [join(root, 'postgresql')] })).toMatchObject({ pgDump: join(newer, 'pg_dump') })
  })

  test('the real one behind the wrapper of Debian', async () => {
    await mkdir(join(root, 'bin'))
    await script(join(root, 'pg_wrapper'), '#!/bin/sh\necho "pg_dump (PostgreSQL) 15.99"\n')
    await symlink(join(root, 'pg_wrapper'), join(root, 'bin', 'pg_dump'))
    await symlink(join(root, 'pg_wrapper'), join(root, 'bin', 'pg_restore'))
    const real = await install('postgresql/15/bin', '15.18')
    expect(await find({ env: { PATH: join(root, 'bin') }, installations: [join(root, 'postgresql')] })).toMatchObject({
      pgDump: join(real, 'pg_dump'),
    })
  })

  test('this machine, really', async () => {
    const clients = await findClients({ directory: undefined, serverMajor: 15, env: process.env, redactor: quiet })
    expect(clients).toMatchObject({ pgDump: expect.stringMatching(/pg_dump$/), major: expect.any(Number) })
  })
})

describe('zstd is used', () => {
  test('by a build from 16 on that has it', async () => {
    expect(await find({ directory: await install('a', '16.4', 'connection to "/nonexistent" failed') })).toMatchObject({
      compression: 'zstd',
    })
  })

  test('not by a build without it', async () => {
    expect(await find({ directory: await install('a', '16.4', 'this build does not support compression with zstd') })).toMatchObject({
      compression: 'gzip',
    })
  })
})

describe('clients are refused, with the command to type,', () => {
  test('when they are older than the server', async () => {
    const directory = await install('old', '9.6.1')
    expect(await find({ directory })).toEqual({
      kind: 'refusal',
      code: 'clients_too_old',
      text: `pg_dump 9.6.1 in ${directory} cannot dump a PostgreSQL 15 server, since it is older. Install it with \`apt-get install postgresql-client-15\` and correct \`backup.clients\`.`,
    })
  })

  test('when there are none', async () => {
    expect(await find()).toEqual({
      kind: 'refusal',
      code: 'clients_missing',
      text: 'pg_dump and pg_restore were not found on this machine. Install them with `apt-get install postgresql-client-15`, or name their directory as `backup.clients`.',
    })
  })

  test('when the configured directory has none, even if PATH does', async () => {
    const path = await install('path', '15.2')
    expect(await find({ directory: join(root, 'empty'), env: { PATH: path } })).toEqual({
      kind: 'refusal',
      code: 'clients_missing',
      text: `There is no working pg_dump and pg_restore in ${join(root, 'empty')} (\`backup.clients\`). Correct the directory, or install them with \`apt-get install postgresql-client-15\`.`,
    })
  })

  test('when pg_dump is there but does not run', async () => {
    const directory = join(root, 'broken')
    await mkdir(directory)
    await script(join(directory, 'pg_dump'), '#!/bin/sh\nexit 127\n')
    await script(join(directory, 'pg_restore'), '#!/bin/sh\nexit 127\n')
    expect(await find({ directory })).toMatchObject({ code: 'clients_missing' })
  })
})

test('the command fits the system', () => {
  expect(installCommand(17, 'linux')).toBe('apt-get install postgresql-client-17')
  expect(installCommand(17, 'darwin')).toBe('brew install postgresql@17')
})

test.each([
  ['15.18', 15],
  ['18beta2', 18],
  ['9.6.1', 9.6],
])('the major version of %s is %s', (version, major) => {
  expect(majorOf(version)).toBe(major)
})
