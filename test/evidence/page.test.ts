import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bundleOf } from '../../src/evidence/bundle.ts'
import { escapeHtml } from '../../src/evidence/page/html.ts'
import { refuse } from '../../src/lib/refusal.ts'
import { documentWith, newSigner, sampleBundle } from './sample.ts'

const signer = newSigner()
const pageOf = (text: string, how: Parameters<typeof documentWith>[1] = {}) =>
  bundleOf(documentWith(text, { ...how, signer }), signer).page.content

/** The page without what stands between tags, and without the lines of the SQL, of which there are as many as the text has. */
const tagsOf = (page: string) =>
  (page.match(/<[^>]*>/g) ?? [])
    .filter((tag) => !/^<\/?li|^<!-- lockkeeper-page-signature/.test(tag))
    .map((tag) => tag.replace(/content="[^"]*"/, ''))
    .join('\n')

describe('text of others', () => {
  test('adds no tag and no attribute to the page, wherever it stands', () => {
    const plain = tagsOf(pageOf('text'))
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom(
        '<script>',
        '</pre>',
        '-->',
        '<!--',
        '"><img src=x onerror=alert(1)>',
        "' onload='",
        '&lt;',
        '</style>',
        '<pre id="envelope">',
        ']]>',
      ),
    )
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 4 }), (pieces) => {
        expect(tagsOf(pageOf(`x${pieces.join('')}`))).toBe(plain)
      }),
      { numRuns: 150 },
    )
  })

  test('escaped reads as it was written, but for characters that nobody sees', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const escaped = escapeHtml(text)
        expect(escaped).not.toMatch(/[<>"']|[\u202a-\u202e\u2066-\u2069\u0000-\u0008\u200b]/)
        const read = escaped
          .replaceAll('&lt;', '<')
          .replaceAll('&gt;', '>')
          .replaceAll('&quot;', '"')
          .replaceAll('&#39;', "'")
          .replaceAll('&amp;', '&')
        // joiners and selectors stay where a script or an emoji needs them, and are spelled out elsewhere
        const unseen = /‹U\+[0-9A-F]{4,6}›|[\p{Cc}\p{Cf}\p{Variation_Selector}\u2028\u2029\u2060-\u206f\u{e0000}-\u{e007f}]/gu
        expect(read.replace(unseen, '')).toBe(text.toWellFormed().replace(unseen, ''))
      }),
    )
  })

  test('that turns the order of reading is spelled out in the SQL', () => {
    expect(pageOf('-- \u202etfel\n')).toContain('<li>-- ‹U+202E›tfel</li>')
  })
})

describe('the page', () => {
  const page = sampleBundle(signer).page.content

  test('runs nothing, loads nothing, and forbids both to itself but for its own style', () => {
    const style = /<style>([^]*?)<\/style>/.exec(page)?.[1] ?? ''
    const hash = createHash('sha256').update(style).digest('base64')
    expect(page).toContain(`content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"`)
    expect(page).not.toMatch(/<script|<img|<link|<iframe|<object|\ssrc=|url\(|@import|\son[a-z]+=|\sstyle=/i)
    expect([...page.matchAll(/href="([^"]*)"/g)].every(([, to]) => to?.startsWith('#'))).toBe(true)
  })

  test('says first what came of it, who asked, who approved and whether the backup was verified', () => {
    const words = page
      .slice(page.indexOf('<header>'), page.indexOf('<nav>'))
      .replace(/<[^>]*>/g, ' ')
      .replace(/\s+/g, ' ')
      .trim()
    expect(words).toBe(
      'Evidence of a database migration and deploy Request #42: deploy to Production Succeeded 1 migration applied. Asked by U0ALICE 2026-11-20 21:54:00 UTC Approved by create table discounts (); (U0BOB) 1 of 1 required, 2026-11-20 21:54:04 UTC Ran 2026-11-20 21:54:06 UTC 34 s Backup verified, read in full prod-20261120T215410Z What 1 migration commit a1b9f02000 from main Plan ' +
        `${documentWith('create table discounts ();\n', { signer }).plan?.digest.slice(0, 16)} its digest fits its content`,
    )
  })

  test('of a request that has not ended says so', () => {
    const text = pageOf('x', { state: 'running' })
      .replace(/<[^>]*>/g, '')
      .replace(/\s+/g, ' ')
    expect(text).toContain('Not final. The request had not ended when this was made, 2026-11-20 21:54:50 UTC. A later bundle says more.')
    expect(page).not.toContain('Not final')
  })

  test('says that the SQL cannot be read, differs from the approved file, was redacted or is cut', () => {
    const words = (how: Parameters<typeof documentWith>[1]) =>
      pageOf('x', how)
        .replace(/<[^>]*>/g, '')
        .replace(/\s+/g, ' ')
    expect(words({ around: { files: refuse('repository_unreachable', 'The repository `shop` does not answer.') } })).toContain(
      'The text cannot be shown: The repository shop does not answer. The SHA-256 above still names it.',
    )
    const other = {
      name: '20261118_add_discounts',
      content: Buffer.from('drop table orders;'),
      sha256: '',
      otherEndings: [],
      rollback: null,
    }
    expect(words({ around: { files: [other] } })).toContain('The text below is not the approved file: its SHA-256 is')
    const hides = {
      text: (text: string) => text.replaceAll('hunter22', '[redacted]'),
      stream: () => ({ write: (chunk: string) => chunk, end: () => '' }),
    }
    expect(words({ sql: "alter role shop password 'hunter22';", redactor: hides })).toContain(
      'A secret in the text is left out, so the text below does not have the SHA-256 of the file.',
    )
    expect(words({ sql: `-- ${'x'.repeat(250_000)}` })).toContain(
      '50,003 more characters of this file are left out here. The SHA-256 above is of the whole file.',
    )
  })
})
