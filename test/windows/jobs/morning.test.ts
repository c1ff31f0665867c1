import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Target } from '../../../src/config/config.ts'
import { createLog } from '../../../src/lib/log.ts'
import { createRedactor } from '../../../src/redact/redact.ts'
import { createCronJobs } from '../../../src/windows/jobs/cron-jobs.ts'
import { morningJob } from '../../../src/windows/jobs/morning.ts'
import { morningMessage, type MorningNews } from '../../../src/windows/render/morning.ts'
import { createStore } from '../../helpers/postgres.ts'

let store: Awaited<ReturnType<typeof createStore>>
const log = createLog(createRedactor([]), 'silent')

beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())

const target = (name: string, channel: string) => [name, { name, title: name.toUpperCase(), channel } as Target] as const
const targets = new Map([target('prod', 'C1'), target('staging', 'C1'), target('archive', 'C2')])

/** As if it had been due so long ago. */
async function doneAfter(milliseconds: number, linesOf: (target: Target) => readonly string[]) {
  await store.db.query('truncate lockkeeper.bulletin, lockkeeper.rota cascade')
  let asked = 0
  const job = morningJob({ cron: '0 8 * * Mon-Fri', timezone: 'UTC' }, targets, async (one) => {
    asked += 1
    return linesOf(one)
  })
  const jobs = createCronJobs({ db: store.db, log }, [job])
  await store.db.query(
    `insert into lockkeeper.rota (name, plan, next_at) values ('morning', '0 8 * * Mon-Fri UTC', lockkeeper.now() - $1 * interval '1 millisecond')`,
    [milliseconds],
  )
  await jobs.due.act()
  await jobs.due.act() // another replica, or the same one again
  await jobs.stop()
  const posts = await store.db.query<{ channel: string; kind: string; data: MorningNews }>(
    'select channel, kind, data from lockkeeper.bulletin order by id',
  )
  const [audited] = await store.db.query<{ result: string; data: object }>(
    `select result, data - 'at' as data from lockkeeper.audit where act = 'morning' order by seq desc limit 1`,
  )
  return { posts, asked, audited }
}

test('each channel is told once of its targets about which there is something to say', async () => {
  const { posts, asked, audited } = await doneAfter(120_000, ({ name }) => (name === 'archive' ? [] : [`• \`${name}\` has news.`]))
  expect(asked).toBe(3)
  expect(posts).toEqual([
    {
      channel: 'C1',
      kind: 'morning',
      data: {
        targets: [
          { title: 'PROD', lines: ['• `prod` has news.'] },
          { title: 'STAGING', lines: ['• `staging` has news.'] },
        ],
      },
    },
  ])
  expect(audited).toEqual({ result: 'posted', data: { targets: 2 } })
  expect(morningMessage(posts[0]!.data).blocks).toMatchInlineSnapshot(`
    [
      {
        "text": {
          "emoji": false,
          "text": "This morning",
          "type": "plain_text",
        },
        "type": "header",
      },
      {
        "text": {
          "text": "*PROD*
    • \`prod\` has news.",
          "type": "mrkdwn",
        },
        "type": "section",
      },
      {
        "text": {
          "text": "*STAGING*
    • \`staging\` has news.",
          "type": "mrkdwn",
        },
        "type": "section",
      },
    ]
  `)
})

test('nothing to say is no post, and the news of a morning is not told at noon', async () => {
  expect(await doneAfter(120_000, () => [])).toMatchObject({ posts: [], audited: { result: 'posted', data: { targets: 0 } } })
  expect(await doneAfter(5 * 3_600_000, () => ['• news'])).toMatchObject({ posts: [], audited: { result: 'missed' } })
})
