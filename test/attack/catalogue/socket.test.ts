import { beforeEach, describe, expect, test } from 'vitest'
import { votesOf } from '../../../src/request/store.ts'
import type { Arena } from './arena.ts'
import { attackOver } from './runner.ts'

let arena: Arena
attackOver('socket', (made) => (arena = made))

describe('at one moment', () => {
  let last: number
  beforeEach(async () => {
    last = (await arena.audit()).at(-1)?.id ?? 0
  })
  const results = async (act: string) =>
    (await arena.audit()).filter((row) => row.id > last && row.act === act && row.entry === 'modal').map(({ result }) => result)
  const vote = (user: string, id: number, token: string, digest: string) => ({
    id,
    send: () => arena.window({ user: { id: user }, view: { private_metadata: JSON.stringify({ token, digest }) } }),
  })
  const asked = async (target: string, person = 'U0ALICE') => {
    const { id, token, digest } = await arena.flow.ask(`deploy ${target}`, person)
    return { id, token, digest: digest ?? '' }
  }

  test('a vote that comes on every connection at once counts once', async () => {
    const { id, token, digest } = await asked('two')
    const { slack, store } = arena.flow
    expect(slack.socket.connections()).toBe(2)
    slack.deliveries.repeat('everywhere')
    await vote('U0BOB', id, token, digest).send()
    expect(await votesOf(store, id)).toHaveLength(1)
    expect(await results('approve')).toEqual(['counted'])
    await arena.flow.answer(`cancel ${id}`)
  })

  test('ten votes of one person at one moment count once, and the others are told so', async () => {
    const { id, token, digest } = await asked('two')
    const told = await Promise.all(Array.from({ length: 10 }, () => vote('U0BOB', id, token, digest).send()))
    expect(await votesOf(arena.flow.store, id)).toHaveLength(1)
    expect((await results('approve')).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([...Array<string>(9).fill('already_voted'), 'counted'])
    const again = `Your approval of #${id} is counted already: 1 of 2. Nothing more is needed from you.`
    expect(told.filter((text) => text === again)).toHaveLength(9)
    await arena.flow.answer(`cancel ${id}`)
  })

  test('a vote that races with being taken out of the group is never a run by an approver who had left', async () => {
    const { slack, store } = arena.flow
    const { id, token, digest } = await asked('old')
    slack.setGroup('S0DBA', ['U0BOB', 'U0CAROL'])
    const votes = vote('U0BOB', id, token, digest).send()
    slack.setGroup('S0DBA', ['U0CAROL'])
    try {
      await votes
      const [result] = await results('approve')
      expect(['not_an_approver', 'granted']).toContain(result)
      // when he was still in it as the vote was counted, the look before the start finds that he is not
      const request = await arena.flow.reaches(id, 'waiting')
      expect(request.startedAt).toBeNull()
      expect(await store.query('select 1 from lockkeeper.step where request_id = $1', [id])).toEqual([])
    } finally {
      slack.setGroup('S0DBA', ['U0BOB', 'U0CAROL'])
    }
  })
})
