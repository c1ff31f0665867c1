import { createHash } from 'node:crypto'
import { canonicalJson } from '../lib/canonical.ts'
import type { EvidenceDocument } from './document/document.ts'
import { PAGE_TYPE, seal, type Signer } from './envelope.ts'
import { renderPage } from './page/page.ts'

/** What is handed out: the signed document, and the page that shows it. */
export type Bundle = {
  readonly requestId: number
  /** Why a later bundle will say more, in words that end a sentence; null when it is final. */
  readonly whyNotFinal: string | null
  readonly keyId: string
  /** Of the document's bytes: the payload of the envelope. */
  readonly sha256: string
  readonly json: BundleFile
  readonly page: BundleFile
}

export type BundleFile = { readonly name: string; readonly content: string }

export function bundleOf(document: EvidenceDocument, signer: Signer): Bundle {
  const payload = Buffer.from(canonicalJson(document))
  const sha256 = createHash('sha256').update(payload).digest('hex')
  const envelope = seal(signer, payload)
  const page = renderPage(document, { envelope: envelope.trimEnd(), sha256 })
  const name = nameOf(document)
  return {
    requestId: document.request.id,
    whyNotFinal: whyNotFinal(document),
    keyId: signer.keyId,
    sha256,
    json: { name: `${name}.json`, content: envelope },
    page: { name: `${name}.html`, content: signPage(signer, page) },
  }
}

export const whyNotFinal = ({ exported, request }: Pick<EvidenceDocument, 'exported' | 'request'>): string | null =>
  exported.isFinal ? null : request.endedAt === null ? 'the request has not ended' : 'its break-glass is not reviewed'

/** `evidence-42-prod-20261120T215435Z`: what verifying compares with the document inside. */
export const nameOf = ({ request, exported }: Pick<EvidenceDocument, 'request' | 'exported'>): string =>
  `evidence-${request.id}-${request.target}-${exported.at.slice(0, 19).replace(/[-:]/g, '')}Z`

/** The page's own signature is its last line, a comment, over every byte before it. */
function signPage(signer: Signer, page: string): string {
  return `${page}<!-- lockkeeper-page-signature ${signer.keyId} ${signer.sign(PAGE_TYPE, Buffer.from(page))} -->\n`
}

export const SIGNED_PAGE = /^([\s\S]*)<!-- lockkeeper-page-signature (sha256:[0-9a-f]{64}) ([A-Za-z0-9+/]{86}==) -->\n$/
