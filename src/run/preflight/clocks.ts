import type { Queryable } from '../../database/connect.ts'
import type { Look } from '../../database/looks.ts'
import { judgeClocks, readClock, type Reading } from '../../lib/clock-skew.ts'
import { systemClock } from '../../lib/clock.ts'
import { codeText } from '../../lib/text/text.ts'
import { together } from '../../lib/together.ts'
import { stop, warn, type Finding } from './finding.ts'

/** The target's own clock beside the others: its rows get their times from it. */
export async function clockFindings(clocks: () => Promise<readonly Reading[]>, target: string, ask: Look): Promise<readonly Finding[]> {
  const [others, own] = await together([
    clocks(),
    ask((client) => readClock(`the clock of the database server of ${codeText(target)}`, () => serverTime(client), systemClock)),
  ])
  const verdict = judgeClocks([...others, ...(own === undefined ? [] : [own])])
  if (verdict === null) return []
  return [verdict.level === 'stop' ? stop('clocks_apart', verdict.text) : warn('clocks_apart', verdict.text)]
}

async function serverTime(client: Queryable): Promise<number | undefined> {
  const { rows } = await client.query<{ now: string }>('select (extract(epoch from clock_timestamp()) * 1000)::text as now')
  return rows[0] === undefined ? undefined : Number(rows[0].now)
}
