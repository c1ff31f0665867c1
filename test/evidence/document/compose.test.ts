import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleOf } from '../../../src/evidence/bundle.ts'
import { plainText } from '../../../src/evidence/document/plain.ts'
import { readRows, type EvidenceRows } from '../../../src/evidence/document/rows.ts'
import { changedRow } from '../../helpers/views.ts'
import { chainOf } from '../../../src/evidence/document/timeline.ts'
import { canonicalJson } from '../../../src/lib/canonical.ts'
import { digestOf } from '../../../src/plan/digest.ts'
import { createRedactor, redactedDeep } from '../../../src/redact/redact.ts'
import { findingKey } from '../../../src/request/blockers.ts'
import { createFixture, type Store, type Fixture } from '../../approvals/fixture.ts'
import { createStore } from '../../helpers/postgres.ts'
import { documentWith, newSigner } from '../sample.ts'

const signer = newSigner()

describe('the document', () => {
  test('is canonical JSON whatever was written: it reads back the same, and the plan inside has the digest that people voted for', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const document = documentWith(text, { signer })
        const written = canonicalJson(document)
        expect(canonicalJson(JSON.parse(written))).toBe(written)
        expect(document.plan?.isDigestOfContent).toBe(true)
        expect(digestOf(document.plan!.content)).toBe(document.votes[0]?.digest)
      }),
      { numRuns: 100 },
    )
  })

  test('has no secret in it, wherever one stood, and says what that touched', () => {
    const secret = `Stieg<litz>&"'%7`
    const redactor = createRedactor([secret])
    const document = documentWith(`x ${secret} y`, { signer, redactor, around: { output: { kind: 'missing', why: '' } } })
    const { json, page } = bundleOf(document, signer)
    const payload = Buffer.from((JSON.parse(json.content) as { payload: string }).payload, 'base64').toString('utf8')
    for (const text of [payload, page.content]) {
      expect(text).not.toContain('Stieg')
      expect(redactor.text(text)).toBe(text)
    }
    expect(document.migrations[0]?.sql).toMatchObject({ kind: 'text', text: 'x [redacted] y', isApproved: true, isRedacted: true })
    expect(document.plan?.isDigestOfContent).toBe(false)
    expect(redactedDeep(redactor, { [secret]: [secret, 1, null, { deep: secret }] })).toEqual({
      '[redacted]': ['[redacted]', 1, null, { deep: '[redacted]' }],
    })
  })

  test('says of each finding who let it pass and why, on the page too', () => {
    const finding = {
      code: 'no-timeout',
      weight: 'blocker',
      migration: '20261118_add_discounts',
      line: 2,
      table: null,
      text: 'it switches <off> the lock timeout',
      advice: null,
      waived: null,
    } as const
    const withFinding = (rows: EvidenceRows): EvidenceRows => {
      const { evidence, digest } = rows.request
      if (evidence === null) throw new Error('the sample has evidence')
      const data = { by: 'U0BOB', digest, reason: 'alone at night', findings: [findingKey(finding)], texts: [] }
      const waived = { kind: 'waived', data, id: 99, requestId: 42, at: new Date(0) } as const
      const request = changedRow(rows.request, { evidence: { ...evidence, findings: [finding] } })
      return { ...rows, request, events: [...rows.events, waived] }
    }
    const document = documentWith('discounts', { signer, change: withFinding })
    expect(document.findings).toEqual([
      {
        code: 'no-timeout',
        weight: 'blocker',
        migration: '20261118_add_discounts',
        line: 2,
        table: null,
        text: 'it switches <off> the lock timeout',
        waived: { by: 'U0BOB', reason: 'alone at night', at: '1970-01-01T00:00:00.000Z' },
      },
    ])
    expect(bundleOf(document, signer).page.content).toContain('it switches &lt;off&gt; the lock timeout')
    expect(documentWith('x', { signer })).not.toHaveProperty('findings')
  })

  test('of a broken glass is not final until it is reviewed, and the page says first who broke it', () => {
    const breakGlass = {
      reason: 'checkout is down',
      askedBy: 'U0ALICE',
      askedAt: Date.UTC(2026, 10, 20, 21, 54, 1),
      digest: 'd'.repeat(64),
      brokenBy: 'U0DAVE',
      brokenAt: Date.UTC(2026, 10, 20, 21, 54, 2),
      involved: ['U0ALICE', 'U0DAVE'],
      review: [],
      reviewedBy: null,
      reviewedAt: null,
      note: null,
    }
    const words = (document: ReturnType<typeof documentWith>) =>
      bundleOf(document, signer)
        .page.content.replace(/<[^>]*>/g, '')
        .replace(/\s+/g, ' ')
    const open = documentWith('x', { signer, breakGlass })
    expect(open.exported.isFinal).toBe(false)
    expect(bundleOf(open, signer).whyNotFinal).toBe('its break-glass is not reviewed')
    expect(words(open)).toContain('Not final. The break-glass had not been reviewed when this was made, 2026-11-20 21:54:50 UTC.')
    expect(words(open)).toContain('Break-glass. It ran without the approvals that are required, let through by U0DAVE.')
    expect(words(open)).toContain('Nobody has reviewed it yet.')
    const reviewed = { ...breakGlass, reviewedBy: 'U0BOB', reviewedAt: Date.UTC(2026, 10, 20, 22), note: 'it was right' }
    expect(words(open)).toContain('Let through 20')
    expect(words(open)).not.toContain('Approved 20')
    const done = documentWith('x', { signer, breakGlass: reviewed })
    expect(done.exported.isFinal).toBe(true)
    expect(words(done)).toContain('Reviewed by x (U0BOB), 2026-11-20 22:00:00 UTC.')
  })
})

test('what the store keeps for Slack becomes plain text', () => {
  expect(
    plainText(
      '*Stopped* by <@U0BOB> in <#C0DEPLOYS|deploys> on <!date^1795212824^{date}|today>: `a &lt;b&gt; &amp;amp;`, <https://x.example|x>',
    ),
  ).toBe('Stopped by U0BOB in C0DEPLOYS on 2026-11-20 22:13:44 UTC: a <b> &amp;, x (https://x.example)')
})

describe('the hash chain of the audit log', () => {
  let store: Store
  let fixture: Fixture
  beforeAll(async () => {
    store = await createStore()
    fixture = await createFixture({ store })
  })
  afterAll(() => store.close())

  test('of a store that keeps one comes with numbers, hashes and the lines that they are made of', () => {
    const line = '1:7|5:prod'
    const hash = createHash('sha256')
      .update(`${'0'.repeat(64)}\n${line}`)
      .digest('hex')
    expect(chainOf({ seq: 7, prev: '0'.repeat(64), hash, line })).toEqual({ seq: 7, prev: '0'.repeat(64), hash, line })
    expect(chainOf({ seq: null, prev: null, hash: null, line })).toBeNull()
  })

  test('is read with the rows of the request and nobody else’s', async () => {
    const request = await fixture.waiting()
    await fixture.deps.db.query(
      `insert into lockkeeper.audit (actor, act, request_id, result) values ('U0BOB', 'approve', $1, 'counted'), ('U0BOB', 'approve', 4711, 'counted')`,
      [request.id],
    )
    const rows = await readRows(fixture.deps.db, request.id)
    expect(rows?.audit.map(({ actor, act, result }) => [actor, act, result])).toContainEqual(['U0BOB', 'approve', 'counted'])
    expect(rows?.audit.filter(({ act }) => act === 'approve')).toHaveLength(1)
    for (const row of rows?.audit ?? []) {
      const link = chainOf(row)
      expect(link?.hash).toBe(createHash('sha256').update(`${link?.prev}\n${link?.line}`).digest('hex'))
    }
    expect(await readRows(fixture.deps.db, 4711)).toBeUndefined()
  })
})
