import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backupName, backupsOf, isBackupName, removePartials, reserve } from '../../src/backup/names.ts'
import { temporaryDirectory } from '../helpers/backup.ts'

test('a backup is named by its target and the second in UTC', () => {
  expect(backupName('prod', new Date('2026-11-20T07:14:20.999Z'), () => false)).toBe('prod-20261120T071420Z')
})

test('a second backup in the same second is numbered', () => {
  const taken = new Set(['prod-20261120T071420Z', 'prod-20261120T071420Z-2'])
  expect(backupName('prod', new Date('2026-11-20T07:14:20Z'), (name) => taken.has(name))).toBe('prod-20261120T071420Z-3')
})

test('every name that is given is one that is accepted', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z][a-z0-9-]{0,30}$/),
      fc.date({ min: new Date('2020-01-01'), max: new Date('2099-12-31'), noInvalidDate: true }),
      fc.nat(5),
      (target, at, count) => {
        const taken = new Set<string>()
        for (let number = 0; number <= count; number++) {
          const name = backupName(target, at, (candidate) => taken.has(candidate))
          expect(isBackupName(name)).toBe(true)
          expect(taken.has(name)).toBe(false)
          taken.add(name)
        }
      },
    ),
  )
})

test.each(['', '..', '../x', 'prod', 'prod-20261120T071420Z/..', 'prod-20261120T071420Z.run4.partial', '/etc', 'prod-20261120T071420Z\n'])(
  '%j is not the name of a backup',
  (name) => {
    expect(isBackupName(name)).toBe(false)
  },
)

test('what dead attempts of one target left is removed, and nothing else', async () => {
  const { path, remove } = await temporaryDirectory()
  const entries = [
    'prod-20261120T071420Z.run7.partial',
    'prod-20261120T071420Z',
    'prod-eu-20261120T071420Z.run8.partial',
    'staging-20261120T071420Z.run9.partial',
    'notes.partial',
  ]
  for (const entry of entries) mkdirSync(join(path, entry))
  expect(await removePartials(path, 'prod')).toEqual(['prod-20261120T071420Z.run7.partial'])
  expect(readdirSync(path).sort()).toEqual(entries.slice(1).sort())
  expect(await backupsOf(path, 'prod')).toEqual(['prod-20261120T071420Z'])
  await remove()
})

test('a name is not given while another attempt still writes under it', async () => {
  const { path, remove } = await temporaryDirectory()
  const at = new Date('2026-11-20T07:14:20Z')
  const first = await reserve(path, 'prod', 1, at)
  const second = await reserve(path, 'prod', 2, at)
  expect([first.name, second.name]).toEqual(['prod-20261120T071420Z', 'prod-20261120T071420Z-2'])
  await remove()
})
