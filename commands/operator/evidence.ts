import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { storeId } from '../../src/audit/health.ts'
import type { Queries } from '../../src/store/pool.ts'
import { whyNotFinal } from '../../src/evidence/bundle.ts'
import { readPublicKey } from '../../src/evidence/envelope.ts'
import { knownKeys } from '../../src/evidence/keys.ts'
import { utc } from '../../src/evidence/document/plain.ts'
import { verifyEvidence, type Trusted, type Verdict } from '../../src/evidence/verify.ts'

/** What `lockkeeper evidence` ends with, so that a script can tell the verdicts apart. */
export const evidenceCodes = { whole: 0, tampered: 1, mistyped: 2, unknownKey: 3 } as const

export type EvidenceCommand =
  | { readonly kind: 'key' }
  | { readonly kind: 'verify'; readonly file: string; readonly key: string | null }
  | { readonly kind: 'mistyped'; readonly text: string }

export type Printed = { readonly code: number; readonly text: string }

/** `lockkeeper evidence key`, `lockkeeper evidence verify FILE [--key PEM]`; the words after `evidence`. */
export function readEvidenceCommand(words: readonly string[]): EvidenceCommand {
  const { tokens } = parseArgs({
    args: [...words],
    options: { key: { type: 'string' } },
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const [what, file, more] = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []))
  const options = tokens.flatMap((token) => (token.kind === 'option' ? [token] : []))
  const stranger = options.find(({ name }) => name !== 'key')
  if (stranger !== undefined) return mistyped(`${stranger.rawName} is no option of it.`)
  const key = options[0]?.value ?? null
  if (options.length > 0 && (key === null || key.startsWith('-'))) return mistyped('--key needs the file of a public key after it.')
  if (what === 'key' && file === undefined && key === null) return { kind: 'key' }
  if (what === 'verify' && file !== undefined && more === undefined) return { kind: 'verify', file, key }
  return mistyped(what === 'verify' ? 'It verifies one file at a time.' : 'It knows key and verify.')
}

const mistyped = (why: string): EvidenceCommand => ({ kind: 'mistyped', text: `${why} Nothing was done.\n${EVIDENCE_USAGE}` })

export const EVIDENCE_USAGE = `  lockkeeper evidence key                          prints the public keys that sign evidence of this store
  lockkeeper evidence verify FILE [--key PUBLIC]   says whether a bundle is whole; with --key it needs no store`

/** Every public key that ever signed evidence of this store. */
export async function printKeys(db: Queries): Promise<Printed> {
  const [store, keys] = [await storeId(db), await knownKeys(db)]
  const lines = keys.map(({ keyId, publicKey, registeredAt }) => `${keyId}, since ${utc(registeredAt)}\n${publicKey.trimEnd()}`)
  return { code: evidenceCodes.whole, text: [`Keys that sign evidence of the store ${store}:`, ...lines].join('\n\n') }
}

/** Keys and the store to judge by, as this store knows them. */
export const trustedOf = async (db: Queries): Promise<Trusted> => ({
  keys: new Map((await knownKeys(db)).map(({ keyId, publicKey }) => [keyId, publicKey])),
  store: await storeId(db),
})

/** A public key in a file, and nothing else. */
export async function trustedIn(path: string): Promise<Trusted | Printed> {
  try {
    const { keyId, publicKey } = readPublicKey(await readFile(path, 'utf8'))
    return { keys: new Map([[keyId, publicKey]]), store: null }
  } catch (error) {
    return {
      code: evidenceCodes.mistyped,
      text: `${path} cannot be used as a key: ${messageOf(error)}. It has to hold an Ed25519 public key in PEM, as lockkeeper evidence key prints it. Nothing was verified.`,
    }
  }
}

export async function verifyFile(path: string, trusted: Trusted): Promise<Printed> {
  let content: Buffer
  try {
    content = await readFile(path)
  } catch (error) {
    return { code: evidenceCodes.mistyped, text: `${path} cannot be read: ${messageOf(error)}. Nothing was verified.` }
  }
  return printVerdict(path, verifyEvidence({ name: basename(path), content }, trusted))
}

function printVerdict(path: string, verdict: Verdict): Printed {
  switch (verdict.kind) {
    case 'whole': {
      const { request, exported } = verdict.document
      const why = whyNotFinal(verdict.document)
      const final = why === null ? '' : `\nIt is not final: ${why} as of then.`
      return {
        code: evidenceCodes.whole,
        text: `WHOLE: ${path} is what Lockkeeper signed.\nRequest #${request.id} to ${request.target}, ${request.state}, exported ${utc(new Date(exported.at))} for ${exported.by.account}.\nSHA-256 of the document ${verdict.sha256}, key ${verdict.keyId}.${final}`,
      }
    }
    case 'tampered':
      return {
        code: evidenceCodes.tampered,
        text: `TAMPERED: ${path} proves nothing, since ${verdict.why}. Ask for the bundle again where it was made.`,
      }
    case 'unknown_key':
      return {
        code: evidenceCodes.unknownKey,
        text: `UNKNOWN KEY: ${path} is signed with ${verdict.keyId}, which is not known here. It says that it comes from the store ${verdict.document.store}. Its bytes fit that key, but anybody can make a key: get the public key from whoever operates that Lockkeeper, compare, and verify with --key.`,
      }
    case 'no_evidence':
      return { code: evidenceCodes.mistyped, text: `${path} is no evidence bundle: ${verdict.why}. Nothing was verified.` }
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
