import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { sizeText } from '../../lib/text/units.ts'
import { listed, quoted } from '../../lib/text/quoted.ts'
import type { Queryable } from '../../database/connect.ts'
import type { TargetUrl } from '../../database/urls.ts'
import { dataDirectory, isLocal } from '../../guard/disk.ts'
import { bareCloneOf } from '../../deploy/checkout.ts'
import { isRefusal } from '../../lib/refusal.ts'
import { gitIn, type Git } from '../../plan/git.ts'
import { isOfRunner } from '../../plan/prisma8/compare.ts'
import { readRunnerFiles } from '../../plan/prisma8/repository.ts'
import { sqlOf } from '../../plan/prisma8/review.ts'
import { readApproved } from '../../migrate/prisma/approved.ts'
import type { RunContext } from '../../request/step.ts'
import { roomTaken, type RoomTaken } from '../../sql/room.ts'
import { freeBytes } from './backup.ts'
import { info, warn, type Finding } from './finding.ts'

/** The server's own disk: it is known only for a server on this machine that says where its data is. `taken`: null when it is not known. */
export async function serverDiskFindings(
  client: Queryable,
  url: Pick<TargetUrl, 'host' | 'schema'>,
  directory: string,
  taken: () => Promise<readonly RoomTaken[] | null>,
): Promise<readonly Finding[]> {
  if (!isLocal(url.host)) return []
  const path = await dataDirectory(client)
  if (path === null)
    return [
      info(
        'same_disk',
        `The server is on this machine, but where it keeps its data is not known; whether the backup shares its disk cannot be said.`,
      ),
    ]
  const [data, backup, sizes, room] = await Promise.all([stat(path), stat(directory), tablePages(client), taken()])
  const found = roomFindings(await freeOf(path, sizes), room, sizes, url.schema)
  if (data.dev !== backup.dev) return found
  const text = `The backup directory ${quoted(directory)} is on the same file system as the database, and is lost together with it. Keep backups on another disk.`
  return [...found, { ...warn('same_disk', text), brief: "backups are on the database's own disk" }]
}

/** What the files of this run write anew, by their SQL; null when it cannot be known. */
export async function roomOf(context: RunContext, { schema }: TargetUrl, varDirectory: string): Promise<readonly RoomTaken[] | null> {
  const names = new Set(context.plan.list.map(({ name }) => name))
  if (names.size === 0) return []
  const clone = bareCloneOf(varDirectory, context.target.name)
  if (!existsSync(clone)) return null // the checkout is made after the preflight, and the clone perhaps by another machine
  const git = gitIn({ home: clone, varDirectory: clone, redactor: context.redactor, env: context.env }, clone)
  if ((await git(['cat-file', '-e', `${context.plan.commit}^{commit}`])).exitCode !== 0) return null
  const migrations = isOfRunner(context.plan)
    ? await packagesIn(context, git)
    : (await readApproved(context, clone)).migrations.filter(({ name }) => names.has(name))
  return migrations === null ? null : roomTaken(migrations, schema)
}

/** Prisma 8 runs all of them in one transaction, so what one writes anew is there until the last has ended. */
async function packagesIn({ plan, target }: RunContext, git: Git): Promise<Parameters<typeof roomTaken>[0] | null> {
  const files = await readRunnerFiles({ git }, target, plan.commit)
  if (isRefusal(files)) return null
  const packages = plan.list.flatMap(({ name }) => files.packages.find((one) => one.name === name) ?? [])
  return packages.length === 0 ? [] : [{ name: packages.map(({ name }) => name).join(', '), content: Buffer.concat(packages.map(sqlOf)) }]
}

/** Free bytes by the tablespace's directory, `''` for the data directory; without those that cannot be looked at. */
export type FreeBytes = ReadonlyMap<string, number>

async function freeOf(dataDirectory: string, sizes: readonly TablePages[]): Promise<FreeBytes> {
  const places = [...new Set(['', ...sizes.map(({ tablespace }) => tablespace)])].filter((place) => place === '' || existsSync(place))
  return new Map(await Promise.all(places.map(async (place) => [place, await freeBytes(place === '' ? dataDirectory : place)] as const)))
}

/** What each file writes beside what is there. A table that is written anew stands there twice until its file has ended, with its indexes. */
export function roomFindings(
  free: FreeBytes,
  taken: readonly RoomTaken[] | null,
  sizes: readonly TablePages[],
  schema: string,
): readonly Finding[] {
  if (taken === null) return unknownFindings(free, sizes)
  const lacking = [...Map.groupBy(taken, ({ file }) => file)].flatMap(([file, its]) =>
    needsOf(its, sizes, schema).flatMap((need) => {
      const room = free.get(need.tablespace) ?? Infinity
      return room >= need.bytes ? [] : [{ ...need, file, room }]
    }),
  )
  const worst = lacking.toSorted((a, b) => b.bytes - b.room - (a.bytes - a.room))[0]
  if (worst === undefined) return []
  const does = `${quoted(worst.file)} ${worst.isSure ? 'writes' : 'may write'} ${listed(worst.tables, 3)} anew`
  return [
    warn(
      'disk_space',
      `The disk of ${placeName(worst.tablespace)} has ${sizeText(worst.room)} free, and ${does}, which takes about ${sizeText(worst.bytes)} more until it has ended. A disk that is full stops the whole server. Free space first.`,
    ),
  ]
}

/** By tablespace. A new index takes a part of its table, which nobody knows before; what sorts for it is freed. */
function needsOf(taken: readonly RoomTaken[], sizes: readonly TablePages[], schema: string) {
  const found = taken.flatMap(({ of, table, isSure }) => {
    if (of !== 'table') return []
    const largest = largestOf(sizes)
    const written =
      table === null
        ? largest === undefined
          ? []
          : [largest]
        : sizes.filter((one) => one.name === table.name && one.schema === (table.schema ?? schema))
    return written.map((size) => ({ size, isSure }))
  })
  return [...Map.groupBy(found, ({ size }) => size.tablespace)].map(([tablespace, its]) => {
    const distinct = [...new Set(its.map(({ size }) => size))]
    return {
      tablespace,
      bytes: distinct.reduce((sum, { bytes }) => sum + bytes, 0),
      tables: distinct.map(shownName),
      isSure: its.every(({ isSure }) => isSure),
    }
  })
}

function unknownFindings(free: FreeBytes, sizes: readonly TablePages[]): readonly Finding[] {
  const largest = largestOf(sizes)
  const room = free.get(largest?.tablespace ?? '') ?? Infinity
  if (largest === undefined || room >= largest.bytes) return []
  return [
    warn(
      'disk_space',
      `The disk of ${placeName(largest.tablespace)} has ${sizeText(room)} free, and the largest table ${quoted(shownName(largest))} takes at least ${sizeText(largest.bytes)}. A migration that rewrites it, as a change of a column's type may, would fill the disk, and one of them could not be read. Free space first if it does.`,
    ),
  ]
}

const placeName = (tablespace: string): string => (tablespace === '' ? 'the database' : `the tablespace in ${quoted(tablespace)}`)
const largestOf = (sizes: readonly TablePages[]): TablePages | undefined => sizes.toSorted((a, b) => b.bytes - a.bytes)[0]
const shownName = ({ schema, name }: TablePages): string => (schema === 'public' ? name : `${schema}.${name}`)

export type TablePages = {
  readonly schema: string
  readonly name: string
  readonly bytes: number
  /** The directory of its tablespace; empty when that is below the server's data directory. */
  readonly tablespace: string
}

/** With indexes, TOAST and partitions, as of the last VACUUM or ANALYZE: to measure them would wait for whoever locks a table. */
export async function tablePages(client: Queryable): Promise<readonly TablePages[]> {
  const { rows } = await client.query<{ schema: string; name: string; bytes: string; tablespace: string }>(
    `with leaf as (
        select c.oid, pg_tablespace_location(case c.reltablespace when 0 then d.dattablespace else c.reltablespace end) as tablespace,
            c.relpages + coalesce(t.relpages, 0)
            + (select coalesce(sum(x.relpages), 0) from pg_index i join pg_class x on x.oid = i.indexrelid where i.indrelid in (c.oid, t.oid)) as pages
          from pg_class c left join pg_class t on t.oid = c.reltoastrelid, pg_database d where c.relkind in ('r', 'm') and d.datname = current_database())
      select n.nspname as schema, c.relname as name, (sum(greatest(leaf.pages, 0))::bigint * current_setting('block_size')::int)::text as bytes, leaf.tablespace
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
         join lateral (select c.oid where c.relkind <> 'p' union all select relid from pg_partition_tree(c.oid) where isleaf and c.relkind = 'p') part (oid) on true
         join leaf on leaf.oid = part.oid
      where c.relkind in ('r', 'm', 'p') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' group by n.nspname, c.relname, leaf.tablespace`,
  )
  return rows.map(({ bytes, ...row }) => ({ ...row, bytes: Number(bytes) }))
}
