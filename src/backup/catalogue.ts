import type { Queries } from '../store/pool.ts'
import { parseManifest, type Manifest } from './manifest.ts'

type BackupState = 'writing' | 'written' | 'verified' | 'failed' | 'pruned'

export type BackupRow = {
  readonly name: string
  readonly requestId: number | null
  readonly target: string
  readonly path: string
  readonly state: BackupState
  readonly bytes: number | null
  readonly rawBytes: number | null
  readonly seconds: number | null
  readonly manifest: Manifest | null
  readonly createdAt: Date
  readonly verifiedAt: Date | null
  readonly isUnsettled: boolean
}

/** The catalogue of backups. A backup is recorded when it stands under its final name; what is only partial is nobody's backup. */
export type BackupStore = {
  /** Records a backup that is whole, or records it again after an adoption. */
  readonly written: (manifest: Manifest, path: string) => Promise<void>
  readonly mark: (name: string, state: Exclude<BackupState, 'writing' | 'written'>) => Promise<void>
  readonly find: (name: string) => Promise<BackupRow | undefined>
  /** All but the pruned ones of a target, newest first. */
  readonly list: (target: string) => Promise<readonly BackupRow[]>
}

export const backupStore = (db: Queries): BackupStore => ({
  async written(manifest, path) {
    await db.query(
      `insert into lockkeeper.backup (name, request_id, target, path, state, bytes, raw_bytes, seconds, manifest, created_at)
       values ($1, $2, $3, $4, 'written', $5, $6, $7, $8, $9) on conflict (name) do nothing`,
      [
        manifest.name,
        manifest.requestId,
        manifest.target,
        path,
        manifest.bytes,
        manifest.rawBytes,
        manifest.seconds,
        JSON.stringify(manifest),
        manifest.takenAt,
      ],
    )
  },
  async mark(name, state) {
    await db.query(
      `update lockkeeper.backup set state = $2, verified_at = case when $2 = 'verified' then clock_timestamp() else verified_at end
       where name = $1`,
      [name, state],
    )
  },
  async find(name) {
    const [row] = await db.query<Row>(`${SELECT} where b.name = $1`, [name])
    return row === undefined ? undefined : backupRow(row)
  },
  async list(target) {
    const rows = await db.query<Row>(`${SELECT} where b.target = $1 and b.state <> 'pruned' order by b.created_at desc, b.name desc`, [
      target,
    ])
    return rows.map(backupRow)
  },
})

type Row = {
  readonly name: string
  readonly request_id: number | null
  readonly target: string
  readonly path: string
  readonly state: BackupState
  readonly bytes: number | null
  readonly raw_bytes: number | null
  readonly seconds: number | null
  readonly manifest: unknown
  readonly created_at: Date
  readonly verified_at: Date | null
  readonly is_unsettled: boolean
}

const SELECT = `
select b.*, coalesce(r.state in ('planning', 'waiting', 'granted', 'running', 'needs_human'), false) as is_unsettled
from lockkeeper.backup b left join lockkeeper.request r on r.id = b.request_id`

const backupRow = (row: Row): BackupRow => ({
  name: row.name,
  requestId: row.request_id,
  target: row.target,
  path: row.path,
  state: row.state,
  bytes: row.bytes,
  rawBytes: row.raw_bytes,
  seconds: row.seconds,
  manifest: parseManifest(row.manifest) ?? null,
  createdAt: row.created_at,
  verifiedAt: row.verified_at,
  isUnsettled: row.is_unsettled,
})

/** How long the newest that was verified took, and its size: what a plan foretells of the next one. Null when there is none. */
export async function lastVerified(
  store: Pick<BackupStore, 'list'>,
  target: string,
): Promise<{ readonly seconds: number; readonly bytes: number } | null> {
  const last = (await store.list(target)).find(({ state }) => state === 'verified')
  return last === undefined || last.seconds === null || last.bytes === null ? null : { seconds: last.seconds, bytes: last.bytes }
}
