import { gunzipSync, gzipSync } from 'node:zlib'
import { z } from 'zod'
import type { Queries } from '../store/pool.ts'
import type { SchemaLine } from './lines.ts'

/** A schema as a run left it, when it had been verified. */
export type KeptSchema = {
  readonly requestId: number
  readonly commit: string
  readonly takenAt: Date
  readonly lines: readonly SchemaLine[]
  /** A later run in this database reached its migrations, and was not verified or is another target's: what it changed is no drift. */
  readonly isOvertaken: boolean
}

type SchemaOf = { readonly target: string; readonly identity: string }

/** One for each target; `identity` is the key of its database (`identityKey`). */
export async function keepSchema(
  db: Queries,
  { target, identity }: SchemaOf,
  { requestId, commit, lines }: Pick<KeptSchema, 'requestId' | 'commit' | 'lines'>,
): Promise<void> {
  await db.query(
    `insert into lockkeeper.live_schema (target, identity, request_id, commit, lines) values ($1, $2, $3, $4, $5)
     on conflict (target) do update set identity = excluded.identity, request_id = excluded.request_id, commit = excluded.commit,
       lines = excluded.lines, taken_at = lockkeeper.now()`,
    [target, identity, requestId, commit, gzipSync(JSON.stringify(lines))],
  )
}

/** Null where no run was verified yet, or another database stands at the address now. */
export async function keptSchema(db: Queries, { target, identity }: SchemaOf): Promise<KeptSchema | null> {
  const [row] = await db.query<Omit<KeptSchema, 'lines'> & { lines: Buffer }>(
    `select k.request_id::int as "requestId", k.commit, k.taken_at as "takenAt", k.lines,
       exists (select from lockkeeper.request r join lockkeeper.step s on s.request_id = r.id
         where r.identity_key = k.identity and r.id > k.request_id and jsonb_array_length(r.plan->'list') > 0
           and s.name = 'migrate' and s.state not in ('pending', 'skipped')) as "isOvertaken"
     from lockkeeper.live_schema k where k.target = $1 and k.identity = $2`,
    [target, identity],
  )
  if (row === undefined) return null
  return { ...row, lines: shape.parse(JSON.parse(gunzipSync(row.lines).toString('utf8'))) }
}

const shape = z.array(z.strictObject({ key: z.string(), text: z.string() }))
