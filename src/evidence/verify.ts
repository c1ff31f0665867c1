import { createHash } from 'node:crypto'
import { canonicalJson } from '../lib/canonical.ts'
import { nameOf, SIGNED_PAGE } from './bundle.ts'
import type { EvidenceDocument } from './document/document.ts'
import { DOCUMENT_TYPE, isSignedBy, PAGE_TYPE, readEnvelope, readPublicKey } from './envelope.ts'
import { ENVELOPE_CLOSES, ENVELOPE_OPENS } from './page/page.ts'

export type Verdict =
  | { readonly kind: 'whole'; readonly document: EvidenceDocument; readonly sha256: string; readonly keyId: string }
  /** A byte of it is not what was signed, or it is not what its name or its place says. */
  | { readonly kind: 'tampered'; readonly why: string }
  /** The signature fits the key that the file itself names, and nobody here vouches for that key. */
  | { readonly kind: 'unknown_key'; readonly document: EvidenceDocument; readonly keyId: string }
  | { readonly kind: 'no_evidence'; readonly why: string }

export type Trusted = {
  /** PEM by key id. */
  readonly keys: ReadonlyMap<string, string>
  /** Where bundles are expected to come from; null when only the key counts. */
  readonly store: string | null
}

/** One file, JSON or page, under the name that it has now. Pure. */
export function verifyEvidence(file: { readonly name: string; readonly content: Buffer }, trusted: Trusted): Verdict {
  const text = file.content.toString('utf8')
  if (!Buffer.from(text).equals(file.content)) return notEvidence('it is not text in UTF-8')
  const verdict = /^\s*\{/.test(text) ? verifyJson(text, trusted) : verifyPage(text, trusted)
  return verdict.kind === 'whole' || verdict.kind === 'unknown_key' ? fitting(file.name, verdict, trusted) : verdict
}

const notEvidence = (why: string): Verdict => ({ kind: 'no_evidence', why })
const tampered = (why: string): Verdict => ({ kind: 'tampered', why })

function verifyPage(text: string, trusted: Trusted): Verdict {
  if (!text.includes('lockkeeper-page-signature') && !text.includes(ENVELOPE_OPENS))
    return notEvidence('it is neither a signed envelope nor a page that Lockkeeper made')
  const parts = SIGNED_PAGE.exec(text)
  if (parts === null) return tampered("the page's own signature, its last line, is missing or has been changed")
  const [, page = '', keyId = '', sig = ''] = parts
  const pieces = page.split(ENVELOPE_OPENS)
  const envelope = pieces[1]?.split(ENVELOPE_CLOSES)
  if (pieces.length !== 2 || envelope?.length !== 2) return tampered('the signed document inside the page is missing or has been changed')
  const inner = verifyJson(`${envelope[0]}\n`, trusted)
  if (inner.kind === 'no_evidence') return tampered(`the signed document inside the page has been changed: ${inner.why}`)
  if (inner.kind === 'tampered') return tampered(`the signed document inside the page has been changed: ${inner.why}`)
  if (inner.keyId !== keyId) return tampered('the page and the document inside it name different keys')
  if (Buffer.from(sig, 'base64').toString('base64') !== sig) return tampered("the page's own signature has been changed")
  const key = inner.kind === 'whole' ? trusted.keys.get(keyId) : inner.document.signer.publicKey
  if (key === undefined || !isSignedBy(key, PAGE_TYPE, Buffer.from(page), sig))
    return tampered('the document inside the page is whole, but the page around it is not the one that was signed')
  return inner
}

function verifyJson(text: string, trusted: Trusted): Verdict & { readonly keyId?: string } {
  const envelope = readEnvelope(text)
  if (envelope === undefined) return notEvidence('it is no signed envelope (DSSE)')
  if (envelope.payloadType !== DOCUMENT_TYPE)
    return tampered(`its payload is of another type than evidence (${envelope.payloadType.slice(0, 80)})`)
  const document = readDocument(envelope.payload)
  const known = trusted.keys.get(envelope.keyId)
  const key = known ?? selfNamed(document, envelope.keyId)
  if (key === undefined) return tampered('it names a key that is neither known here nor the one of the document inside')
  if (!isSignedBy(key, DOCUMENT_TYPE, envelope.payload, envelope.sig)) return tampered('the signature does not fit the document')
  if (!envelope.isExact) return tampered('the document is whole, but the file around it is not written as it was signed')
  if (document === undefined) return notEvidence('what is signed is no evidence of this version')
  if (document.signer.keyId !== envelope.keyId) return tampered('the document names another signer than the envelope')
  if (known === undefined) return { kind: 'unknown_key', document, keyId: envelope.keyId }
  return { kind: 'whole', document, sha256: createHash('sha256').update(envelope.payload).digest('hex'), keyId: envelope.keyId }
}

/** The key that the document carries, if it is the one that the envelope names; it vouches for nothing but itself. */
function selfNamed(document: EvidenceDocument | undefined, keyId: string): string | undefined {
  try {
    const own = readPublicKey(document?.signer.publicKey ?? '')
    return own.keyId === keyId ? own.publicKey : undefined
  } catch {
    return undefined // not a key at all
  }
}

function readDocument(payload: Buffer): EvidenceDocument | undefined {
  try {
    const parsed: unknown = JSON.parse(payload.toString('utf8'))
    if (typeof parsed !== 'object' || parsed === null || canonicalJson(parsed) !== payload.toString('utf8')) return undefined
    const { kind, version, signer } = parsed as Readonly<Record<string, unknown>>
    // of the shape that this version writes: whoever relies on it has checked the signature
    return kind === 'lockkeeper-evidence' && version === 1 && typeof signer === 'object' && signer !== null
      ? (parsed as EvidenceDocument)
      : undefined
  } catch {
    return undefined
  }
}

const NAME = /^(evidence-\d+-[a-z][a-z0-9-]*-\d{8}T\d{6}Z)(?:[ ._(-].*)?\.(?:json|html)$/

/** A whole bundle under the name of another one, or of another store. A name that is not ours says nothing. */
function fitting(name: string, verdict: Extract<Verdict, { kind: 'whole' | 'unknown_key' }>, trusted: Trusted): Verdict {
  const { document } = verdict
  const claimed = NAME.exec(name)?.[1]
  const own = nameOf(document)
  if (claimed !== undefined && claimed !== own)
    return tampered(`the file is named ${claimed}, but it holds ${own}, which is another bundle under this name`)
  if (verdict.kind === 'whole' && trusted.store !== null && document.store !== trusted.store)
    return tampered(`it comes from another store (${document.store}) than the one that is asked here (${trusted.store})`)
  return verdict
}
