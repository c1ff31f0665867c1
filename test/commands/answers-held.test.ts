import { afterEach, expect, test } from 'vitest'
import { createAnswers } from '../../src/slack/answers/answers.ts'
import { claimAnswers } from '../../src/slack/answers/rows.ts'
import type { AnswerSlack } from '../../src/slack/answers/send.ts'
import { limits } from '../../src/slack/limits/shapes.ts'
import type { View } from '../../src/slack/port.ts'
import { createStore } from '../helpers/postgres.ts'
import { log } from './replica.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const view: View = { type: 'modal', title: { type: 'plain_text', text: 'x' }, blocks: [] }
const nobody = () => Promise.reject(new Error('this way was not to be taken'))

test('an answer in many parts stays with who sends it, however slow Slack is with each of them', async () => {
  const { db, close } = await createStore()
  closing.push(close)
  const sent: string[] = []
  const seen: unknown[] = []
  const slack: AnswerSlack = {
    // as if this part had taken almost as long as an answer is held, and another replica looked just then
    async respond(_url, message) {
      if (sent.length > 0) seen.push(...(await claimAnswers(db, { id: 'another', lock: 1, mayJudge: false })))
      sent.push(message.text)
      await db.query(
        `update lockkeeper.answer set held_until = held_until - (held_until - clock_timestamp()) - interval '1 second', look_at = clock_timestamp()`,
      )
      return { kind: 'ok', value: null }
    },
    ephemeral: nobody,
    updateView: nobody,
    openView: nobody,
    openDirect: nobody,
    post: nobody,
    findByIntent: nobody,
  }
  const answers = createAnswers({ db, slack, log, owner: { id: 'this', lock: 1, mayJudge: () => false }, token: 'xoxb-1' })
  const taken = await answers.take(['one'], {
    kind: 'command',
    account: 'U0ALICE',
    channel: 'C0DEPLOYS',
    responseUrl: 'https://hooks.slack.com/commands/1',
    ifLost: { message: { text: 'lost' }, view },
  })
  if (taken.kind !== 'first') throw new Error('it was taken before')
  const lines = Array.from({ length: 3 }, (_, at) => `${at}`.repeat(limits.text - 1))
  await taken.answering.say({ message: { text: lines.join('\n') }, view })
  expect(sent).toEqual(lines)
  expect(seen).toEqual([])
  expect(await db.query('select state, response_url, said from lockkeeper.answer')).toEqual([
    { state: 'sent', response_url: null, said: null },
  ])
})
