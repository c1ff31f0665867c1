import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { shopDatabase } from '../helpers/sample.ts'
import { patiently as until } from '../helpers/until.ts'
import { backupsIn } from './evidence.ts'
import { expectEnds, openScene, startScene, type Scene } from './scene.ts'
import { startServer } from './server.ts'

describe.concurrent('another server answers under the target’s address', { timeout: 180_000 }, () => {
  test('after the approval: what was approved is void, and nothing runs there', async (context) => {
    const { scene, other } = await failoverScene(context)
    const request = await scene.ask()
    await other()
    await scene.approve(request.id)
    const asked = await scene.reaches(request.id, ['waiting', 'refused'], 60_000)
    expect([asked.state, asked.digest === request.digest && asked.state === 'waiting']).not.toEqual(['waiting', true])
    expect(scene.starts(request.id)).toBe(0)
  })

  test('in the middle of the migration: a person is called, and the rest is not started there', async (context) => {
    const { scene, other } = await failoverScene(context)
    const request = await scene.ask()
    await scene.approve(request.id)
    await until('the second migration runs', async () => (await scene.migrating()).length > 0)
    await other()
    scene.proxies.target.cut()
    await scene.open('migration')
    await expectEnds(scene, request.id, ['needs_human', 'failed'])
    expect(scene.starts(request.id)).toBe(1)
  })
})

describe.concurrent('a backup that is damaged before it was read back', { timeout: 180_000 }, () => {
  test.each([
    ['cut short', (file: string) => truncateSync(file, 20)],
    ['with one byte flipped', flip],
  ] as const)('%s, stops the run before the migration', async (_how, damage) => {
    const scene = await openScene({
      gates: ['migration'],
      env: { LOCKKEEPER_FAULT: 'stop:before-step-record:backup' },
    })
    try {
      const request = await scene.ask()
      await scene.approve(request.id)
      const [bot] = scene.bots.all()
      await until('it is frozen with the backup made', () => /\) T /.test(readFileSync(`/proc/${bot?.pid}/stat`, 'utf8')))
      const directory = backupsIn(scene.directory)
      const [name = ''] = readdirSync(directory)
      const data = readdirSync(join(directory, name)).find((file) => file.endsWith('.dat.gz')) ?? ''
      damage(join(directory, name, data))
      bot?.thaw()
      const ended = await scene.reaches(request.id, ['succeeded', 'failed', 'needs_human'])
      expect(ended.state).toBe('failed')
      expect(scene.starts(request.id)).toBe(0)
    } finally {
      await scene.close()
    }
  })
})

/** The target's address leads to a server of its own, and from `other()` on to another one with the same database. */
async function failoverScene(context: Parameters<typeof startScene>[0]): Promise<{ scene: Scene; other: () => Promise<void> }> {
  const server = await startServer()
  context.onTestFinished(server.close) // the last of them: what is registered last is closed first
  const copy = await shopDatabase({ pending: 0 })
  context.onTestFinished(copy.close)
  const scene = await startScene(context, { targetOn: server })
  return { scene, other: async () => scene.proxies.target.pointTo(copy.url) }
}

function flip(file: string): void {
  const bytes = readFileSync(file)
  const at = Math.floor(bytes.length / 2)
  bytes[at] = (bytes[at] ?? 0) ^ 0xff
  writeFileSync(file, bytes)
}
