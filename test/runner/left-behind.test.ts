import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { createDatabase } from '../helpers/postgres.ts'
import { expectNothingLeft } from './left-behind.ts'

/** What stands in the message beside the databases of the tests that are at work meanwhile. */
async function left(scratch: string): Promise<readonly string[]> {
  const message = await expectNothingLeft({ url: inject('postgresUrl'), scratch }, 0).then(
    () => '',
    (error: Error) => error.message,
  )
  return message.split('\n').map((line) => line.trim())
}

test('a database that a test leaves behind is named with the file that made it', async () => {
  const database = await createDatabase()
  try {
    expect(await left('/nowhere')).toContain(`database ${database.name}, made by runner-left-behind`)
  } finally {
    await database.close()
  }
  expect((await left('/nowhere')).join()).not.toContain(database.name)
})

test('a process that a test leaves behind is named, by whatever of its environment it was given', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'lk-'))
  const child = spawn('sleep', ['60'], { env: { PATH: `${process.env['PATH']}:${join(scratch, 'flows-queue', 'bin')}` }, detached: true })
  const ended = once(child, 'exit')
  try {
    await once(child, 'spawn')
    expect(await left(scratch)).toContain(`process ${child.pid}, started by flows-queue: sleep 60`)
  } finally {
    child.kill('SIGKILL')
    await ended
    rmSync(scratch, { recursive: true })
  }
  expect((await left(scratch)).filter((line) => line.startsWith('process'))).toEqual([])
})
