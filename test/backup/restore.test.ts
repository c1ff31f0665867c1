import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { captureChild } from '../../src/process/capture.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { onServer } from '../helpers/postgres.ts'
import { shopDatabase } from '../helpers/sample.ts'
import { ROOT } from '../commands/operator/lockkeeper.ts'

test('the commands of docs/operations.md restore a backup beside the database and change places with it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-restore-'))
  const database = await shopDatabase()
  const backup = join(directory, 'backup')
  const server = new URL(inject('postgresUrl'))
  const env = {
    PATH: process.env.PATH ?? '',
    PGHOST: server.hostname,
    PGPORT: server.port,
    PGUSER: server.username,
    PGPASSWORD: server.password,
  }
  const sh = async (script: string) => {
    const end = await captureChild({ argv: ['sh', '-euc', script], cwd: directory, env, redactor: createRedactor([]), timeoutMs: 60_000 })
    expect({ code: end.exitCode, err: end.stderr }).toEqual({ code: 0, err: '' })
    return end.stdout.toString('utf8')
  }
  try {
    await sh(`pg_dump --format=directory --jobs=2 --file=${backup} ${database.name}`)
    await sh(`psql --quiet --dbname=${database.name} --command='drop table payments'`)
    const out = await sh(`database=${database.name}\nbackup=${backup}\n${await documented()}`)
    expect(out).toContain('20260915101000_index_open_orders')
    expect((await sh(`psql --no-align --tuples-only --dbname=${database.name} --command="select to_regclass('payments')"`)).trim()).toBe(
      'payments',
    )
    expect(
      (await sh(`psql --no-align --tuples-only --dbname=${database.name}_before --command="select to_regclass('payments')"`)).trim(),
    ).toBe('')
  } finally {
    for (const name of [`${database.name}_before`, `${database.name}_restored`])
      await onServer(`drop database if exists ${name} with (force)`)
    await database.close()
    await rm(directory, { recursive: true, force: true })
  }
})

/** The block below "Restore by hand" without the lines that name the server, the database and the backup. */
async function documented(): Promise<string> {
  const text = await readFile(join(ROOT, 'docs/operations.md'), 'utf8')
  const block = /## Restore by hand[\s\S]*?```sh\n([\s\S]*?)```/.exec(text)?.[1] ?? ''
  return block.replace(/^(export|database=|backup=).*\n/gm, '')
}
