import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { writeThrough } from '../../../src/backup/providers/write-through.ts'
import { temporaryDirectory } from '../../helpers/backup.ts'

test('files that grow are written through without a word', async () => {
  const { path, remove } = await temporaryDirectory()
  await writeFile(join(path, '12.dat.gz'), 'data')
  const writing = writeThrough(path, 1)
  await writeFile(join(path, '13.dat.gz'), 'more data')
  expect(await writing.stop()).toBeUndefined()
  await remove()
})

test('a file that could not be written through is told at the end, since no later sync would tell it', async () => {
  const { path, remove } = await temporaryDirectory()
  await symlink('/nowhere', join(path, '12.dat.gz')) // not a file of pg_dump's, so it is not followed
  const writing = writeThrough(path, 1)
  expect(await writing.stop()).toMatchObject({ code: 'ELOOP' })
  expect(await writing.stop()).toMatchObject({ code: 'ELOOP' })
  await remove()
})
