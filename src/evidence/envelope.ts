import { createHash, createPrivateKey, createPublicKey, sign as signBytes, verify as verifyBytes, type KeyObject } from 'node:crypto'
import { canonicalJson } from '../lib/canonical.ts'

/**
 * DSSE (Dead Simple Signing Envelope): the payload as base64, and Ed25519 signatures over its type and its exact bytes. Tools of software
 * supply chains read it, and ten lines of any language verify it.
 */
export const DOCUMENT_TYPE = 'application/vnd.lockkeeper.evidence+json'
export const PAGE_TYPE = 'application/vnd.lockkeeper.evidence-page+html'

export type Signer = {
  /** `sha256:` and the SHA-256 in hex of the public key's DER (SubjectPublicKeyInfo). */
  readonly keyId: string
  /** PEM. */
  readonly publicKey: string
  readonly sign: (type: string, body: Buffer) => string
}

export type Envelope = {
  readonly payloadType: string
  readonly payload: string
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[]
}

/** Throws when the PEM is no Ed25519 private key. */
export function signerOf(pem: string): Signer {
  const key = createPrivateKey(pem)
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError(`it is a key of type ${key.asymmetricKeyType ?? 'unknown'}, not Ed25519`)
  const { keyId, publicKey } = publicKeyOf(createPublicKey(key))
  return { keyId, publicKey, sign: (type, body) => signBytes(null, preAuthentication(type, body), key).toString('base64') }
}

/** Throws when the PEM is no Ed25519 public key. */
export function readPublicKey(pem: string): { readonly keyId: string; readonly publicKey: string } {
  const key = createPublicKey(pem)
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError(`it is a key of type ${key.asymmetricKeyType ?? 'unknown'}, not Ed25519`)
  return publicKeyOf(key)
}

function publicKeyOf(key: KeyObject) {
  const der = key.export({ type: 'spki', format: 'der' })
  return {
    keyId: `sha256:${createHash('sha256').update(der).digest('hex')}`,
    publicKey: String(key.export({ type: 'spki', format: 'pem' })),
  }
}

/** The envelope as it is written to a file: canonical JSON and one line feed, so that there is one spelling only. */
export function seal(signer: Signer, payload: Buffer): string {
  const envelope: Envelope = {
    payloadType: DOCUMENT_TYPE,
    payload: payload.toString('base64'),
    signatures: [{ keyid: signer.keyId, sig: signer.sign(DOCUMENT_TYPE, payload) }],
  }
  return `${canonicalJson(envelope)}\n`
}

/** Undefined when it is no envelope at all; `isExact`: it is written as `seal` writes it, to the byte. */
export function readEnvelope(
  text: string,
):
  | { readonly payloadType: string; readonly payload: Buffer; readonly keyId: string; readonly sig: string; readonly isExact: boolean }
  | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isEnvelope(parsed)) return undefined
  const [signature] = parsed.signatures
  if (signature === undefined) return undefined
  const payload = Buffer.from(parsed.payload, 'base64')
  const isExact =
    parsed.signatures.length === 1 &&
    payload.toString('base64') === parsed.payload &&
    Buffer.from(signature.sig, 'base64').toString('base64') === signature.sig &&
    `${canonicalJson(parsed)}\n` === text
  return { payloadType: parsed.payloadType, payload, keyId: signature.keyid, sig: signature.sig, isExact }
}

export function isSignedBy(publicKey: string, type: string, body: Buffer, sig: string): boolean {
  return verifyBytes(null, preAuthentication(type, body), createPublicKey(publicKey), Buffer.from(sig, 'base64'))
}

/** What is signed: both lengths stand before their bytes, so that no two bodies read alike. */
function preAuthentication(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${body.length} `), body])
}

function isEnvelope(value: unknown): value is Envelope {
  if (typeof value !== 'object' || value === null) return false
  const { payloadType, payload, signatures } = value as Readonly<Record<string, unknown>>
  return (
    typeof payloadType === 'string' &&
    typeof payload === 'string' &&
    Array.isArray(signatures) &&
    signatures.every((one: unknown) => {
      if (typeof one !== 'object' || one === null) return false
      const { keyid, sig } = one as Readonly<Record<string, unknown>>
      return typeof keyid === 'string' && typeof sig === 'string'
    })
  )
}
