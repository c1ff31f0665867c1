import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Bot } from '../helpers/bots.ts'
import { patiently as until } from '../helpers/until.ts'
import { ask } from './play.ts'
import { expectEnds, startScene, type Scene } from './scene.ts'

describe.concurrent('a process that is frozen past its adoption and wakes up', { timeout: 180_000 }, () => {
  test('with a step in hand, records nothing of it: another makes the backup, whole', async (context) => {
    const scene = await startScene(context, { gates: ['migration'] })
    await ask(scene)
    const request = await scene.asked()
    const release = await scene.hold('lock table orders in access exclusive mode')
    await scene.approve(request.id)
    await until('pg_dump waits for the table', async () => (await scene.dumping()).length > 0)
    const frozen = scene.first()
    frozen.freeze()
    const other = await scene.bots.start()
    await until('the other one carries the run', async () => (await scene.carrier(request.id).catch(() => undefined)) === other)
    await until('the other one dumps', async () => (await scene.dumping()).length > 0)
    frozen.thaw()
    await awake(frozen)
    await release()
    await expectEnds(scene, request.id, 'succeeded')
    expect(await scene.store.query('select state from lockkeeper.backup')).toEqual([{ state: 'verified' }])
  })

  test('with a message in hand, does not send it: another has, and each post stands once', async (context) => {
    const scene = await startScene(context, { gates: ['migration'], env: { LOCKKEEPER_FAULT: 'stop:before-post:event' } })
    await scene.type('deploy prod')
    const frozen = scene.first()
    await until('it is frozen before its first post', () => isFrozen(frozen))
    await scene.bots.start()
    const request = await scene.asked()
    await until('another has posted it', async () => (await sent(scene)) > 0)
    await dropped(scene)
    frozen.thaw()
    await awake(frozen)
    await until('Bob is heard', () => approved(scene, request.id, 'U0BOB'))
    await expectEnds(scene, request.id, 'succeeded')
  })

  test('with a vote in hand, has not counted it and holds up nobody: another vote counts, and the voter is told', async (context) => {
    const scene = await startScene(context, { gates: ['migration'], env: { LOCKKEEPER_FAULT: 'stop:in-vote' } })
    await ask(scene)
    const request = await scene.asked()
    const settled = scene.disturbed() // what is brought to a process that does not answer is not acknowledged
    const clicked = scene.approve(request.id, 'U0BOB').catch(() => 'no answer')
    const frozen = scene.first()
    await until('it is frozen inside the transaction', () => isFrozen(frozen))
    await scene.bots.start()
    await dropped(scene)
    await until('Carol is heard', () => approved(scene, request.id, 'U0CAROL'))
    frozen.thaw()
    await awake(frozen)
    settled()
    expect(await clicked).not.toContain('is counted')
    await expectEnds(scene, request.id, 'succeeded')
    expect(await scene.store.query(`select actor, decision from lockkeeper.vote`)).toEqual([{ actor: 'U0CAROL', decision: 'approve' }])
    expect(await scene.store.query(`select actor from lockkeeper.audit where act = 'approve' and result = 'granted'`)).toEqual([
      { actor: 'U0CAROL' },
    ])
  })
})

/**
 * As Slack does with a connection that answers no ping. One that is kept is given up by its client (@slack/socket-mode 3) in the moment of
 * waking, since its last pong is older than 5 s, and what was brought to it just then is never acknowledged.
 */
async function dropped({ slack }: Scene): Promise<void> {
  slack.socket.drop()
  await until('the other one listens', () => slack.socket.connections() > 0)
}

/** As `ps` would say it: stopped by a signal. */
const isFrozen = ({ pid }: Bot): boolean => /^\d+ \(.*\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))

const awake = (bot: Bot) =>
  until('it has noticed that it was taken for dead', () => bot.log().includes('the session that proves this process alive was lost'))

const sent = async (scene: Scene): Promise<number> =>
  (await scene.store.query(`select 1 from lockkeeper.message where key like 'event:%' and state = 'sent'`)).length

/** Clicks once more, as people do whose click was lost in a process that does not answer. */
async function approved(scene: Scene, id: number, person: string): Promise<boolean> {
  await scene.approve(id, person).catch(() => {})
  const [row] = await scene.store.query<{ state: string }>('select state from lockkeeper.request where id = $1', [id])
  return row?.state !== 'waiting'
}
