import { createHash } from 'node:crypto'
import { z } from 'zod'
import { plainText } from '../../lib/text/quoted.ts'

/** What Prisma 8 says an operation does. The two that it may refuse by policy are `destructive` and `data`. */
export type OperationClass = 'additive' | 'widening' | 'destructive' | 'data'

export type Step = { readonly description: string; readonly sql: string; readonly params?: readonly unknown[] | undefined }

export type Operation = {
  /** Prisma's, by which it says which one failed. */
  readonly id: string
  readonly label: string
  readonly class: OperationClass
  /** Each must be true before, or the run fails. */
  readonly precheck: readonly Step[]
  readonly execute: readonly Step[]
  /** All true before: the operation is skipped. Each must be true afterwards. */
  readonly postcheck: readonly Step[]
}

/** A migration of Prisma 8: an edge from one contract to the next. */
export type Package = {
  /** Of its directory. */
  readonly name: string
  /** Null where it begins at an empty database. */
  readonly from: string | null
  readonly to: string
  readonly createdAt: string
  /** As it is written down, and as its content gives it; where they differ, Prisma refuses it. */
  readonly hash: { readonly written: string; readonly computed: string }
  readonly operations: readonly Operation[]
  /** The raw bytes of `migration.json` and `ops.json`. */
  readonly files: { readonly metadata: Buffer; readonly operations: Buffer }
}

export type Unreadable = { readonly kind: 'unreadable'; readonly file: 'migration.json' | 'ops.json'; readonly why: string }

/** Reads what Prisma 8 wrote beside a `migration.ts`, which is never run here, nor by Prisma when it migrates. */
export function readPackage(name: string, files: Package['files']): Package | Unreadable {
  const metadata = parse(files.metadata, metadataShape, 'migration.json')
  if (isUnreadable(metadata)) return metadata
  const operations = parse(files.operations, z.array(operationShape), 'ops.json')
  if (isUnreadable(operations)) return operations
  const { from, to, createdAt, migrationHash } = metadata.value
  return {
    name,
    from: from === EMPTY ? null : from,
    to,
    createdAt,
    hash: { written: migrationHash, computed: migrationHashOf(metadata.raw, operations.raw) },
    operations: operations.value.map(({ id, label, operationClass, precheck, execute, postcheck }) => ({
      id,
      label,
      class: operationClass,
      precheck,
      execute,
      postcheck,
    })),
    files,
  }
}

export const isUnreadable = (value: object): value is Unreadable => 'kind' in value && value.kind === 'unreadable'

/** Prisma's word for the contract of a database that has nothing yet. */
const EMPTY = 'empty'

/**
 * As Prisma 8 forms it, over what both files say and not over their bytes: SHA-256 in hex of the JSON array of the SHA-256 of the metadata
 * without their own hash and of the operations, keys sorted. White space and the order of keys do not count.
 */
export function migrationHashOf(metadata: unknown, operations: unknown): string {
  const { migrationHash: _own, ...rest } = z.looseObject({}).parse(metadata)
  return sha256(JSON.stringify([rest, operations].map((part) => sha256(JSON.stringify(sorted(part))))))
}

/** Through objects, so that keys that are whole numbers come first, as in JavaScript and so in Prisma. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(sorted)
  const object: Record<string, unknown> = Object.create(null)
  for (const [key, part] of Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) object[key] = sorted(part)
  return object
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** A contract's hash is also the name of a directory. */
export const contractHash = z.string().regex(/^[0-9a-f]{64}$/, 'a hash of 64 hex characters was expected')

const metadataShape = z.strictObject({
  from: z.union([contractHash, z.literal(EMPTY), z.null()]),
  to: contractHash,
  migrationHash: z.string(),
  providedInvariants: z.array(z.string()),
  createdAt: z.string(),
})

const steps = z
  .array(z.object({ description: z.string().default(''), sql: z.string(), params: z.array(z.unknown()).optional() }))
  .default([])

const operationShape = z.object({
  id: z.string(),
  label: z.string(),
  operationClass: z.enum(['additive', 'widening', 'destructive', 'data']),
  precheck: steps,
  execute: steps,
  postcheck: steps,
})

function parse<T>(content: Buffer, shape: z.ZodType<T>, file: Unreadable['file']): { raw: unknown; value: T } | Unreadable {
  const found = parseJson(content, shape)
  return 'why' in found ? { kind: 'unreadable', file, why: found.why } : found
}

/** `why` is one line without a full stop, not escaped. */
export function parseJson<T>(content: Buffer, shape: z.ZodType<T>): { raw: unknown; value: T } | { readonly why: string } {
  let raw: unknown
  try {
    raw = JSON.parse(content.toString('utf8'))
  } catch {
    return { why: 'it is not JSON' }
  }
  const read = shape.safeParse(raw)
  if (read.success) return { raw, value: read.data }
  const issue = read.error.issues[0]
  return { why: plainText(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it has another shape'}`.replace(/^: /, '')) }
}
