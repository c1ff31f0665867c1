import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { syncDirectory } from '../lib/durable-file.ts'

export const MANIFEST = 'manifest.json'

/** A table whose rows say which migrations a database has. */
export type MigrationRecord = { readonly schema: string; readonly table: string }

/** Of Prisma 5 to 7. */
const OLDER_RECORD = '_prisma_migrations'

export const recordOf = (of: { readonly migrationsSchema: string; readonly migrationsTable?: string | undefined }): MigrationRecord => ({
  schema: of.migrationsSchema,
  table: of.migrationsTable ?? OLDER_RECORD,
})

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

const manifestSchema = z.strictObject({
  version: z.literal(1),
  name: z.string(),
  target: z.string(),
  requestId: z.int(),
  /** Of the plan that the backup was made for. */
  digest: z.string(),
  identity: z.strictObject({
    host: z.string(),
    port: z.int(),
    database: z.string(),
    systemIdentifier: z.string(),
    databaseOid: z.int(),
    schema: z.string().optional(),
  }),
  /** ISO 8601, when the snapshot was taken. */
  takenAt: z.string(),
  seconds: z.number(),
  serverVersion: z.string(),
  clientVersion: z.string(),
  /** Rows of the record of migrations in the very snapshot that was dumped; null when the table does not exist. */
  migrations: z.int().nullable(),
  migrationsSchema: z.string(),
  /** Left out: that of Prisma 5 to 7. */
  migrationsTable: z.string().optional(),
  /** Tables with data in the dump. */
  tables: z.int(),
  /** Bytes of the files; `rawBytes` is the size of the database when it was dumped. */
  bytes: z.int(),
  rawBytes: z.int(),
  files: z.array(z.strictObject({ path: z.string().regex(/^[\w.-]+$/), bytes: z.int(), sha256 })).min(1),
})

/** What a backup says about itself: `manifest.json` beside the files of pg_dump. */
export type Manifest = z.output<typeof manifestSchema>
export type ManifestFile = Manifest['files'][number]

export type ManifestReading =
  { readonly kind: 'manifest'; readonly manifest: Manifest } | { readonly kind: 'unreadable'; readonly why: string }

/** Never throws: a backup without a readable manifest is a finding. */
export async function readManifest(directory: string): Promise<ManifestReading> {
  try {
    const parsed = manifestSchema.safeParse(JSON.parse(await readFile(join(directory, MANIFEST), 'utf8')))
    return parsed.success ? { kind: 'manifest', manifest: parsed.data } : { kind: 'unreadable', why: z.prettifyError(parsed.error) }
  } catch (error) {
    return { kind: 'unreadable', why: error instanceof Error ? error.message : String(error) }
  }
}

/** A manifest as the catalogue's row keeps it. */
export function parseManifest(value: unknown): Manifest | undefined {
  const parsed = manifestSchema.safeParse(value)
  return parsed.success ? parsed.data : undefined
}

/** Every file's size and hash, each made readable by its owner alone and written through to the disk on the way. */
export async function sealFiles(directory: string, signal: AbortSignal): Promise<readonly ManifestFile[]> {
  const files: ManifestFile[] = []
  for (const path of await filesOf(directory)) {
    await withFile(join(directory, path), constants.O_RDWR, async (file) => {
      await file.chmod(0o600)
      files.push({ path, ...(await hashOf(file, signal)) })
      await file.sync()
    })
  }
  return files
}

/** Written last, so that a directory with a manifest is whole. */
export async function writeManifest(directory: string, manifest: Manifest): Promise<void> {
  await withFile(join(directory, MANIFEST), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, async (file) => {
    await file.writeFile(`${JSON.stringify(manifest, null, 2)}\n`)
    await file.sync()
  })
  await syncDirectory(directory)
}

/** The entries of a backup but for its manifest, in order of their names. */
export async function filesOf(directory: string): Promise<readonly string[]> {
  return (await readdir(directory)).filter((name) => name !== MANIFEST).sort()
}

export async function hashFile(file: string, signal: AbortSignal): Promise<{ readonly bytes: number; readonly sha256: string }> {
  return withFile(file, constants.O_RDONLY | constants.O_NOFOLLOW, (handle) => hashOf(handle, signal))
}

type Handle = Awaited<ReturnType<typeof open>>

const CHUNK = 1024 * 1024

async function hashOf(file: Handle, signal: AbortSignal): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(CHUNK)
  let bytes = 0
  for (;;) {
    signal.throwIfAborted()
    const { bytesRead } = await file.read(buffer, 0, CHUNK, bytes)
    if (bytesRead === 0) return { bytes, sha256: hash.digest('hex') }
    hash.update(buffer.subarray(0, bytesRead))
    bytes += bytesRead
  }
}

async function withFile<T>(path: string, flags: number, work: (file: Handle) => Promise<T>): Promise<T> {
  const file = await open(path, flags, 0o600)
  try {
    return await work(file)
  } finally {
    await file.close()
  }
}
