import { describe, expect, test } from 'vitest'
import { until } from '../helpers/until.ts'
import { expectEnds, startScene, type Scene } from './scene.ts'

/** Opens the window and sends it; whether an answer comes does not matter here. */
async function send(scene: Scene, id: number, action: 'break_glass' | 'review', person: string) {
  const { channel, ts } = scene.card(id)
  await scene.slack.as(person).click({ channel, ts }, action)
  const modal = await scene.slack.waitFor(() => scene.slack.modal(person), { what: `the window of ${action}` })
  await scene.slack.as(person).submit(modal.viewId, action === 'review' ? { note: { note: 'Right' } } : {})
}

const kinds = async (scene: Scene, kind: string) =>
  (await scene.store.query('select 1 from lockkeeper.event where kind = $1', [kind])).length
const acts = async (scene: Scene, act: string) =>
  (await scene.store.query<{ result: string }>(`select result from lockkeeper.audit where act = $1 and actor <> 'lockkeeper'`, [act])).map(
    ({ result }) => result,
  )
const told = (scene: Scene, person: string) =>
  scene.slack.directMessages(person).filter(({ text }) => text.startsWith('BREAK GLASS.')).length

describe('around a broken glass', { timeout: 120_000 }, () => {
  test('killed between the click and the run, and again between the review and its answer, nothing is lost and nothing is done twice', async (context) => {
    const scene = await startScene(context, {
      gates: ['migration'],
      failpoint: 'after-break-glass',
      target: () => ({ breakGlass: { from: ['user:U0ALICE'], review: ['group:S0DBA'] } }),
    })
    const request = await scene.ask('deploy prod --break-glass --reason "Checkout is down"')
    let settled = scene.disturbed() // who dies acknowledges nothing
    await send(scene, request.id, 'break_glass', 'U0ALICE')
    expect(await scene.first().gone()).toBe('SIGKILL')
    const second = await scene.bots.start({ LOCKKEEPER_FAULT: 'after-review' })
    settled()
    await expectEnds(scene, request.id, 'succeeded')
    expect(scene.starts(request.id)).toBe(1)
    expect(await acts(scene, 'break_glass')).toEqual(['broken'])
    expect([await kinds(scene, 'glass_broken'), told(scene, 'U0BOB'), told(scene, 'U0CAROL')]).toEqual([1, 1, 1])

    await scene.drawn(request.id)
    settled = scene.disturbed()
    await send(scene, request.id, 'review', 'U0BOB')
    expect(await second.gone()).toBe('SIGKILL')
    await scene.bots.start()
    settled()
    await scene.drawn(request.id)
    await until('the mark is gone from the card', () => !scene.cardText(request.id).includes('BREAK GLASS'))
    expect(scene.thread(request.id).filter((post) => post.includes('reviewed the break-glass'))).toHaveLength(1)
    expect([await kinds(scene, 'reviewed'), await acts(scene, 'review')]).toEqual([1, ['reviewed']])
    expect((await expectEnds(scene, request.id, 'succeeded')).breakGlass).toMatchObject({
      brokenBy: 'U0ALICE',
      reviewedBy: 'U0BOB',
      note: 'Right',
    })
  })

  test('two bots with one store remind of a review once', async (context) => {
    const scene = await startScene(context, {
      gates: ['migration'],
      target: () => ({ breakGlass: { from: ['user:U0ALICE'], review: ['group:S0DBA'] } }),
    })
    await scene.bots.start()
    const request = await scene.ask('deploy prod --break-glass --reason "Checkout is down"')
    await send(scene, request.id, 'break_glass', 'U0ALICE')
    await expectEnds(scene, request.id, 'succeeded')
    await scene.store.query('update lockkeeper.break_glass set remind_at = clock_timestamp()')
    await until('the reminder is written', async () => (await kinds(scene, 'review_due')) > 0)
    await until('reviewers are told', () =>
      ['U0BOB', 'U0CAROL'].every((person) => scene.slack.directMessages(person).some(({ text }) => text.startsWith('Not reviewed yet.'))),
    )
    await expectEnds(scene, request.id, 'succeeded')
    const reminders = ['U0BOB', 'U0CAROL'].map(
      (person) => scene.slack.directMessages(person).filter(({ text }) => text.startsWith('Not reviewed yet.')).length,
    )
    expect([await kinds(scene, 'review_due'), ...reminders]).toEqual([1, 1, 1])
  })
})
