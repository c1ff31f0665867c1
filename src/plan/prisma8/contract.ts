import { z } from 'zod'
import { contractHash, parseJson } from './package.ts'

/** The contract that the application emitted: what its database must look like. */
export type Contract = {
  readonly hash: string
  /** Schemas of the database that it describes; by the first Prisma names its lock. */
  readonly namespaces: readonly string[]
}

/** `why` is one line without a full stop, not escaped. */
export function readContract(content: Buffer): Contract | { readonly why: string } {
  const read = parseJson(content, shape)
  if ('why' in read) return read
  const { target, storage } = read.value
  if (target !== 'postgres') return { why: `it is for ${target}, and Lockkeeper migrates PostgreSQL only` }
  return { hash: storage.storageHash, namespaces: Object.keys(storage.namespaces) }
}

const shape = z.object({
  target: z.string(),
  storage: z.object({ storageHash: contractHash, namespaces: z.record(z.string(), z.unknown()).default({}) }),
})
