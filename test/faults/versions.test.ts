import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { patiently as until } from '../helpers/until.ts'
import { expectEnds, startScene } from './scene.ts'

const root = join(import.meta.dirname, '../..')

describe('two versions at once', { timeout: 180_000 }, () => {
  test('a newer process takes over from an older one in the middle of a migration, and the older one does not start again', async (context) => {
    const scene = await startScene(context)
    const newer = nextVersion(join(scene.directory, 'newer'))
    const request = await scene.ask()
    await scene.approve(request.id)
    const migrator = await until('the second migration runs', async () => (await scene.migrating())[0])
    const old = scene.first()
    const next = await scene.bots.start({ ROOT: newer })
    expect(await scene.store.query(`select to_regclass('lockkeeper.of_the_next_version') is not null as known`)).toEqual([{ known: true }])
    expect(await old.stop()).toBe(0)
    await until('the newer one carries the run', async () => (await scene.carrier(request.id).catch(() => undefined)) === next)
    expect(await scene.migrating()).toEqual([migrator])
    const again = scene.bots.spawn()
    await again.gone()
    expect(again.log()).toContain('The store was used by a newer Lockkeeper')
    await scene.open('migration')
    await expectEnds(scene, request.id, 'succeeded')
    expect(scene.starts(request.id)).toBe(1)
  })
})

/** The same program with one migration of the store more. */
function nextVersion(directory: string): string {
  mkdirSync(directory)
  for (const part of ['src', 'commands', 'approvals', 'package.json']) cpSync(join(root, part), join(directory, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
  writeFileSync(
    join(directory, 'src/store/migrations/999999-the-next-version.sql'),
    'create table lockkeeper.of_the_next_version (id int);\n',
  )
  return directory
}
