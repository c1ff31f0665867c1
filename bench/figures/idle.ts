import { setTimeout as wait } from 'node:timers/promises'
import { launchBots, type Bots } from '../../test/helpers/bots.ts'
import { startFlow } from '../../test/helpers/flow.ts'
import { under, type Measurement } from '../figure.ts'
import { rssMb } from '../stage/memory.ts'
import { runIn } from '../stage/run.ts'
import { callsOf, countStatements } from '../stage/statements.ts'

/** A bot as a process of its own that has carried one run and has nothing to do, with its two connections to Slack. */
export const idle: Measurement = {
  figures: [
    { name: 'idle-rss-mb', unit: 'MB', aim: under(110) },
    { name: 'idle-statements-per-s', unit: '1/s', aim: under(10) },
  ],
  async measure({ sized, say }) {
    const bots: Bots[] = []
    const flow = await startFlow({ launch: launchBots({}, (received) => bots.push(received)) })
    try {
      const pid = bots[0]?.all()[0]?.pid
      if (pid === undefined) throw new Error('no bot was started')
      const fresh = rssMb(pid)
      const { request } = await runIn(flow)
      await flow.drawn(request.id)
      await wait(sized({ small: 3_000, full: 20_000 }))
      const seconds = sized({ small: 10, full: 60 })
      const statements = await countStatements(new URL(flow.env['STORE_URL'] ?? '').pathname.slice(1), () => wait(seconds * 1000))
      const perSecond = callsOf(statements) / seconds
      for (const { query, calls } of statements.slice(0, 20))
        say(`${(calls / seconds).toFixed(2).padStart(6)}/s  ${query.replaceAll(/\s+/g, ' ').slice(0, 140)}`)
      const rss = rssMb(pid)
      return {
        'idle-rss-mb': {
          value: rss,
          note: `resident memory of one bot after a run and ${sized({ small: 13, full: 80 })} s without work; right after its start ${fresh.toFixed(0)} MB`,
        },
        'idle-statements-per-s': {
          value: perSecond,
          note: `all statements in the store over ${seconds} s, by pg_stat_statements, one bot; most often (${((statements[0]?.calls ?? 0) / seconds).toFixed(1)}/s): ${firstWords(statements[0]?.query ?? '')}`,
        },
      }
    } finally {
      await flow.close()
    }
  },
}

const firstWords = (query: string) => query.trim().split(/\s+/).slice(0, 6).join(' ')
