import type { Queries } from '../store/pool.ts'
import { durationText } from '../lib/text/text.ts'
import { sayTime } from '../calendar/say.ts'

/** So many of the last runs are looked at. */
const RUNS = 10

/** A sentence when a run, as long as the last ones took, would not end before its opening closes; null when it would, or nobody knows. */
export async function mayNotEnd(
  db: Queries,
  { target, zone, from, until }: { readonly target: string; readonly zone: string; readonly from: number; readonly until: number | null },
): Promise<string | null> {
  if (until === null) return null
  const [past] = await db.query<{ median: number | null; runs: number }>(
    `select percentile_cont(0.5) within group (order by extract(epoch from ended_at - started_at) * 1000) as median, count(*)::int as runs
     from (select started_at, ended_at from lockkeeper.request where target = $1 and state = 'succeeded' and started_at is not null
       order by id desc limit ${RUNS}) last`,
    [target],
  )
  if (past?.median == null || from + past.median <= until) return null
  const runs = past.runs === 1 ? 'the last run took' : `the last ${past.runs} runs took`
  return `It may not end before its window closes ${sayTime(until, zone)}: ${runs} ${past.runs === 1 ? '' : 'about '}${durationText(past.median)}, and ${durationText(Math.max(0, until - from))} ${until - from < 120_000 ? 'is' : 'are'} left. A run that has begun goes on.`
}
