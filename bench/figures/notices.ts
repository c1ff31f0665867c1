import { launchBots, type Bots } from '../../test/helpers/bots.ts'
import { startFlow } from '../../test/helpers/flow.ts'
import { atMost, under, type Measurement } from '../figure.ts'
import { watchPeak } from '../stage/memory.ts'
import { planNotices, seedForNotices, toldNotices } from '../stage/notices.ts'
import { callsOf, countStatements } from '../stage/statements.ts'

const REPLICAS = 3
/** All of them are up and quiet by then. */
const BEGIN_MS = 5_000

/** Very many notices of maintenance windows, due at nearly the same time in twenty channels, with three bots and one store. */
export const notices: Measurement = {
  figures: [
    { name: 'notices-lost', unit: 'notices', aim: atMost(0) },
    { name: 'notices-twice', unit: 'notices', aim: atMost(0) },
    { name: 'notices-rss-mb', unit: 'MB', aim: under(250) },
    { name: 'notices-statements', unit: 'statements', aim: null },
    { name: 'notices-posts', unit: 'posts', aim: null },
  ],
  async measure({ sized, say }) {
    const count = sized({ small: 300, full: 10_000 })
    const spread = { inMs: BEGIN_MS, forMs: sized({ small: 15_000, full: 60_000 }) }
    const received: Bots[] = []
    let peaks: ReturnType<typeof watchPeak>[] = []
    const flow = await startFlow({ workspace: { seed: seedForNotices }, launch: launchBots({}, (bots) => received.push(bots)) })
    try {
      const [bots] = received
      if (bots === undefined) throw new Error('no bot was started')
      for (let n = 1; n < REPLICAS; n++) await bots.start()
      await planNotices(flow, count, spread)
      const began = performance.now() + BEGIN_MS
      peaks = bots.all().map(({ pid }) => watchPeak(pid))
      let told = { lost: count, twice: 0, posts: 0 }
      const statements = await countStatements(new URL(flow.env['STORE_URL'] ?? '').pathname.slice(1), async () => {
        told = await toldNotices(flow, count, 300_000)
      })
      const seconds = (performance.now() - began) / 1000
      const peak = Math.max(...peaks.splice(0).map(({ stop }) => stop()))
      for (const { query, calls } of statements.slice(0, 12))
        say(`${String(calls).padStart(7)}  ${query.replaceAll(/\s+/g, ' ').slice(0, 140)}`)
      const total = callsOf(statements)
      const what = `${count.toLocaleString('en')} notices, due within ${spread.forMs / 1000} s in 20 channels, ${REPLICAS} bots`
      return {
        'notices-lost': {
          value: told.lost,
          note: `${what}; the last list stood in Slack ${seconds.toFixed(0)} s after the first notice was due`,
        },
        'notices-twice': { value: told.twice, note: 'by the rows of the store and by the sums of the posted lists' },
        'notices-rss-mb': { value: peak, note: 'the most that any of the bots took, looked at 50 times a second' },
        'notices-statements': {
          value: total,
          note: `all statements in the store meanwhile, also begin, commit and those of the idle bots: ${(total / count).toFixed(1)} a notice`,
        },
        'notices-posts': { value: told.posts, note: 'lists and single notices, coalesced by channel' },
      }
    } finally {
      for (const { stop } of peaks) stop()
      await flow.close()
    }
  },
}
