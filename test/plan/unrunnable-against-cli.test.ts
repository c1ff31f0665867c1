import { describe, expect, test } from 'vitest'
import { withTarget } from '../../src/database/connect.ts'
import { migrationFile } from '../../src/plan/files.ts'
import { readDatabaseState, statusOf } from '../../src/plan/status.ts'
import { whyUnrunnable } from '../../src/sql/unrunnable.ts'
import { createDatabase } from '../helpers/postgres.ts'
import { useRealPrisma } from '../helpers/recorded-prisma/place.ts'
import { createApplication, prisma } from './application/application.ts'

useRealPrisma() // the subject is what Prisma takes

/** Deploys one migration with the CLI; gives its exit code, and whether we would then call the file edited. */
async function deployed(content: Buffer): Promise<{ readonly code: number | null; readonly edited: number }> {
  const application = await createApplication()
  const database = await createDatabase()
  try {
    await application.migration('1_x', content)
    const { code } = await prisma(application, database.url, 'migrate', 'deploy')
    const state = await withTarget({ url: database.url, applicationName: 'test' }, (client) => readDatabaseState(client, 'public'))
    return { code, edited: statusOf(state, [migrationFile('1_x', content, null)]).edited.length }
  } finally {
    await database.close()
    await application.close()
  }
}

describe.concurrent('what is refused while planning', { timeout: 60_000 }, () => {
  test.each([
    ['a byte order mark', '\ufeffselect 1;\n'],
    ['rows for COPY', 'create table c (x int);\ncopy c from stdin;\n1\n\\.\n'],
    ['a command of psql', '\\set ON_ERROR_STOP on\nselect 1;\n'],
    ['SET before CONCURRENTLY', "create table c (x int);\nset lock_timeout = '5s';\ncreate index concurrently i on c (x);\n"],
    ['a space that does not break', 'select\u00a01;\n'],
  ])('fails in the CLI: %s', async (_, sql) => {
    expect(await whyUnrunnable('x', Buffer.from(sql), true)).not.toBeNull()
    expect((await deployed(Buffer.from(sql))).code).toBe(1)
  })

  test.each([
    ['an empty file', ''],
    ['a comment', '-- nothing\n'],
  ])('what the CLI takes is not refused: %s', async (_, sql) => {
    expect(await whyUnrunnable('x', Buffer.from(sql), true)).toBeNull()
    expect(await deployed(Buffer.from(sql))).toEqual({ code: 0, edited: 0 })
  })

  test('Latin-1 was stored with other characters, and its checksum is known again', async () => {
    expect(await deployed(Buffer.from("create table l (x text default 'caf\xe9');\n", 'latin1'))).toEqual({ code: 0, edited: 0 })
  })
})
