import { createHash } from 'node:crypto'
import { canonicalJson } from '../lib/canonical.ts'
import type { Config } from './config.ts'

/** The configuration as one hash, and as one for each of its parts (`targets.prod.approvals`), to say what changed. */
export type Fingerprint = { readonly hash: string; readonly parts: Readonly<Record<string, string>> }

/** Of what stands in the file; secrets stand there by reference only. */
export function fingerprintOf(settings: Config['file']): Fingerprint {
  const file: unknown = JSON.parse(JSON.stringify(settings)) // settings that are left out are left out here too
  const parts = Object.fromEntries(partsOf(file, '', 3).map(([path, value]) => [path, sha256(value).slice(0, 16)]))
  return { hash: sha256(file), parts }
}

/** Names of parts that one has otherwise than the other, or not at all. */
export const changedParts = (before: Fingerprint['parts'], now: Fingerprint['parts']): readonly string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((path) => before[path] !== now[path]).sort()

function partsOf(value: unknown, path: string, depth: number): readonly (readonly [string, unknown])[] {
  if (depth === 0 || typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, value]]
  return Object.entries(value).flatMap(([key, inner]) => partsOf(inner, path === '' ? key : `${path}.${key}`, depth - 1))
}

const sha256 = (value: unknown) =>
  createHash('sha256')
    .update(canonicalJson(value ?? null))
    .digest('hex')
