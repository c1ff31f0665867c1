import { changedRow, requestRow } from '../helpers/views.ts'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { bundleOf, type Bundle } from '../../src/evidence/bundle.ts'
import { composeEvidence, type Surroundings } from '../../src/evidence/document/compose.ts'
import type { EvidenceDocument } from '../../src/evidence/document/document.ts'
import { signerOf, type Signer } from '../../src/evidence/envelope.ts'
import type { EvidenceRows } from '../../src/evidence/document/rows.ts'
import { digestOf } from '../../src/plan/digest.ts'
import type { Plan } from '../../src/plan/plan.ts'
import { createRedactor, type Redactor } from '../../src/redact/redact.ts'
import { evidenceOf, planOf } from '../approvals/fixture.ts'

/** A request that ran, as rows, with one text of others in every place that takes one. */

export const STORE = '00000000-0000-4000-8000-000000000001'
const at = (second: number) => new Date(Date.UTC(2026, 10, 20, 21, 54, second))

export const newSigner = (): Signer =>
  signerOf(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())

export function rowsWith(
  text: string,
  how: {
    readonly state?: EvidenceRows['request']['state']
    readonly sql?: string
    readonly breakGlass?: EvidenceRows['request']['breakGlass']
  } = {},
): EvidenceRows {
  const sql = how.sql ?? text
  const sha256 = createHash('sha256').update(sql).digest('hex')
  const plan: Plan = {
    ...planOf('prod'),
    list: [{ name: '20261118_add_discounts', sha256, bytes: Buffer.byteLength(sql), rollbackSha256: null, concurrently: false }],
    steps: [{ phase: 'deploy', name: 'Restart', settings: { run: ['restart', text] } }],
  }
  const digest = digestOf(plan)
  const state = how.state ?? 'succeeded'
  return {
    store: STORE,
    at: at(50),
    request: changedRow(requestRow(), {
      id: 42,
      token: 'token',
      kind: 'deploy',
      target: 'prod',
      requester: 'U0ALICE',
      requesterHuman: 'U0ALICE',
      askedIn: 'C0DEPLOYS',
      channel: 'C0DEPLOYS',
      ask: { ref: null, reason: text, skipApp: false },
      state,
      plan,
      digest,
      evidence: { ...evidenceOf(['additive']), subject: text, author: text, notes: [text] },
      policy: { required: 1, from: ['group:S0DBA'], members: { S0DBA: ['U0BOB'] }, expiresMs: 1, grantExpiresMs: 1 },
      outcome: { headline: '*1 migration applied.*', why: text, excerpt: text },
      cancelRequestedAt: null,
      cancelRequestedBy: null,
      createdAt: at(0),
      expiresAt: null,
      grantedAt: at(5),
      grantExpiresAt: null,
      startedAt: at(6),
      endedAt: state === 'succeeded' ? at(40) : null,
      revision: 9,
      notBefore: null,
      notAfter: null,
      windowId: null,
      checkAt: null,
      closesAt: null,
      overrideReason: null,
      breakGlass: how.breakGlass ?? null,
      ending: null,
      owesOff: false,
    }),
    votes: [{ requestId: 42, digest, actor: 'U0BOB', human: 'U0BOB', decision: 'approve', reason: text, at: at(4) }],
    steps: [
      {
        requestId: 42,
        ordinal: 0,
        name: 'preflight',
        title: 'Preflight',
        state: 'done',
        attempt: 1,
        details: null,
        output: text,
        data: { checks: 2, names: ['the disk', text], findings: [{ level: 'warn', code: 'disk_space', text }] },
        startedAt: at(6),
        endedAt: at(7),
      },
    ],
    events: [{ id: 1, requestId: 42, at: at(7), kind: 'finding', data: { text } }],
    audit: [
      {
        id: 3,
        at: at(6),
        actor: 'lockkeeper',
        act: 'run',
        target: 'prod',
        result: 'started',
        data: { note: text },
        human: null,
        entry: 'bot',
        digest: null,
        seq: null,
        prev: null,
        hash: null,
        line: '',
      },
    ],
    backups: [
      {
        name: 'prod-20261120T215410Z',
        path: `/srv/backups/${text}`,
        state: 'verified',
        bytes: 20_000,
        rawBytes: 8_200_000,
        seconds: 0.3,
        manifest: null,
        createdAt: at(10),
        verifiedAt: at(12),
      },
    ],
  }
}

export function documentWith(
  text: string,
  how: Parameters<typeof rowsWith>[1] & {
    readonly signer?: Signer
    readonly redactor?: Redactor
    readonly around?: Partial<Surroundings>
    readonly store?: string
    /** What is otherwise in the rows. */
    readonly change?: (rows: EvidenceRows) => EvidenceRows
  } = {},
): EvidenceDocument {
  const sql = how.sql ?? text
  const signer = how.signer ?? newSigner()
  const content = Buffer.from(sql)
  const rows = rowsWith(text, how)
  return composeEvidence(
    { ...(how.change?.(rows) ?? rows), ...(how.store === undefined ? {} : { store: how.store }) },
    {
      title: 'Production',
      by: { account: 'U0CAROL', human: 'U0CAROL' },
      signer: { keyId: signer.keyId, publicKey: signer.publicKey },
      files: [
        {
          name: '20261118_add_discounts',
          content,
          sha256: createHash('sha256').update(content).digest('hex'),
          otherEndings: [],
          rollback: null,
        },
      ],
      output: { kind: 'text', bytes: 5, sha256: createHash('sha256').update('hello').digest('hex'), head: text, tail: '', cut: 0 },
      manifests: new Map(),
      people: [{ account: 'U0BOB', name: text }],
      version: '0.1.0',
      ...how.around,
    },
    how.redactor ?? createRedactor([]),
  )
}

export const sampleBundle = (signer: Signer, how: Omit<NonNullable<Parameters<typeof documentWith>[1]>, 'signer'> = {}): Bundle =>
  bundleOf(documentWith('create table discounts ();\n', { ...how, signer }), signer)
