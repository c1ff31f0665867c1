import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Bot } from '../helpers/bots.ts'
import { until } from '../helpers/until.ts'
import { spanNamed, startCollector } from '../observability/collector.ts'
import { expectEnds, startScene, type Scene } from './scene.ts'

/** As an upgrade does it: the new ones are started first, then the old ones are asked to stop, one after the other. */
async function roll(scene: Scene, env: Readonly<Record<string, string>>): Promise<readonly (number | null)[]> {
  const old = scene.bots.all().filter((bot) => bot.isAlive())
  for (let started = 0; started < old.length; started++) await scene.bots.start(env)
  const codes: (number | null)[] = []
  for (const bot of old) codes.push(await bot.stop())
  return codes
}

/** Where it serves its pages, from its log. */
const pagesOf = (bot: Bot) => `http://127.0.0.1:${/"port":(\d+),"msg":"\/livez/.exec(bot.log())?.[1] ?? ''}`

const slowDeploy = ({ directory }: { readonly directory: string }) => ({
  deploy: [
    { name: 'Slow', run: ['sh', '-c', `touch ${directory}/begun; while [ ! -e ${directory}/go ]; do sleep 0.05; done`], repeatable: true },
  ],
})

describe('processes that are asked to stop', { timeout: 180_000 }, () => {
  test('a rolling upgrade in every phase of a run hands it over each time, and the run goes on in one trace', async (context) => {
    const collector = await startCollector()
    context.onTestFinished(collector.close)
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
    const scene = await startScene(context)
    await scene.bots.start(env)
    const request = await scene.ask()
    const codes = [await roll(scene, env)]
    const release = await scene.hold('lock table orders in access exclusive mode')
    await scene.approve(request.id)
    const before = await until('pg_dump waits for the table', async () => (await scene.dumping())[0])
    codes.push(await roll(scene, env))
    await until('a new process dumps', async () => (await scene.dumping()).some(({ pid }) => pid !== before.pid))
    await release()
    const migrator = await until('the second migration runs', async () => (await scene.migrating())[0])
    codes.push(await roll(scene, env))
    expect(await scene.migrating()).toEqual([migrator])
    await scene.open('migration')
    await expectEnds(scene, request.id, 'succeeded')
    expect(codes).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ])
    expect(scene.starts(request.id)).toBe(1)
    const root = await spanNamed(collector, 'request prod')
    const migrated = await spanNamed(collector, 'step migrate', ({ attributes }) => attributes['lockkeeper.outcome'] === 'done')
    expect([migrated.traceId, migrated.parentSpanId]).toEqual([root.traceId, root.spanId])
    expect(migrated.attributes['lockkeeper.attempt']).toBe(2)
    expect(migrated.links.map(({ traceId }) => traceId)).toEqual([root.traceId])
    expect(
      new Set(
        collector
          .spans()
          .filter(({ name }) => name.startsWith('step '))
          .map(({ resource }) => resource['service.instance.id']),
      ).size,
    ).toBeGreaterThan(1)
  })

  test('a deploy step in hand is finished, what it says reaches Slack, and probes are told at once; a second signal ends it at once', async (context) => {
    const scene = await startScene(context, { gates: ['migration'], target: slowDeploy })
    const begun = join(scene.directory, 'begun')
    const hasBegun = () => until('the deploy step has begun', () => existsSync(begun))
    const impatient = await scene.bots.start({ OPERATION_PORT: '0', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' })
    await scene.first().stop()
    const request = await scene.ask()
    await scene.approve(request.id)
    for (const name of ['backup', 'migrate', 'verify-schema']) await scene.step(request.id, name, 'done')
    await hasBegun()
    const ended = impatient.stop()
    const report = await until('it says that it stops', async () => {
      const response = await fetch(`${pagesOf(impatient)}/readyz`)
      return response.status === 503 ? ((await response.json()) as { readonly reason: string }) : undefined
    })
    expect(report.reason).toContain('The process was asked to stop and takes nothing new.')
    expect((await fetch(`${pagesOf(impatient)}/livez`)).status).toBe(200)
    process.kill(impatient.pid, 'SIGTERM')
    expect(await ended).toBe(143)

    rmSync(begun)
    const patient = await scene.bots.start()
    await hasBegun()
    const stopped = patient.stop()
    await until('it stops', () => patient.log().includes('stopping; runs go on at the next start'))
    writeFileSync(join(scene.directory, 'go'), '')
    expect(await stopped).toBe(0)
    expect(scene.thread(request.id).join('\n')).toContain('Slow')
    await scene.step(request.id, 'deploy-1', 'done')

    await scene.bots.start()
    await expectEnds(scene, request.id, 'succeeded')
  })
})
