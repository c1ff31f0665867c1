import type { Queries } from '../store/pool.ts'

export type AuditRow = {
  readonly seq: number
  readonly at: Date
  readonly entry: string
  readonly actor: string
  readonly human: string | null
  readonly act: string
  readonly target: string | null
  readonly requestId: number | null
  readonly result: string
  readonly digest: string | null
  readonly data: Readonly<Record<string, unknown>>
  readonly prev: string
  readonly hash: string
}

/** One page, newest first. `before` is the smallest `seq` of the page that was read last. */
export async function auditPage(
  db: Queries,
  filter: { readonly target?: string; readonly requestId?: number; readonly before?: number; readonly limit: number },
): Promise<readonly AuditRow[]> {
  const values: unknown[] = [filter.limit]
  const where = ['seq is not null']
  const add = (condition: (place: string) => string, value: unknown) => {
    values.push(value)
    where.push(condition(`$${values.length}`))
  }
  // conditions are only there when they are asked for, so that each page has its index
  if (filter.target !== undefined) add((place) => `target = ${place}`, filter.target)
  if (filter.requestId !== undefined) add((place) => `request_id = ${place}`, filter.requestId)
  if (filter.before !== undefined) add((place) => `seq < ${place}`, filter.before)
  return db.query<AuditRow>(
    `select seq, at, entry, actor, human, act, target, request_id as "requestId", result, digest, data, prev, hash
     from lockkeeper.audit where ${where.join(' and ')} order by seq desc limit $1`,
    values,
  )
}
