import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { verifyEvidence, type Trusted, type Verdict } from '../../src/evidence/verify.ts'
import { newSigner, sampleBundle, STORE } from './sample.ts'

const signer = newSigner()
const bundle = sampleBundle(signer)
const trusted: Trusted = { keys: new Map([[signer.keyId, signer.publicKey]]), store: STORE }

const verdict = (name: string, content: string | Buffer, by: Trusted = trusted): Verdict =>
  verifyEvidence({ name, content: Buffer.from(content) }, by)
const why = (found: Verdict) => (found.kind === 'tampered' || found.kind === 'no_evidence' ? `${found.kind}: ${found.why}` : found.kind)

describe('a bundle', () => {
  test.each([bundle.json, bundle.page])('as it was made is whole, whatever it is called by somebody else: $name', ({ name, content }) => {
    expect(verdict(name, content)).toMatchObject({ kind: 'whole', sha256: bundle.sha256, keyId: signer.keyId })
    expect(why(verdict('for the auditor', content))).toBe('whole')
    expect(why(verdict(name.replace('.', ' (1).'), content))).toBe('whole')
  })

  test.each([bundle.json, bundle.page])('with any one byte changed, added or taken away is not whole: $name', ({ name, content }) => {
    const bytes = Buffer.from(content)
    const change = fc.oneof(
      fc.record({ kind: fc.constant('flip' as const), at: fc.nat(bytes.length - 1), by: fc.integer({ min: 1, max: 255 }) }),
      fc.record({ kind: fc.constant('add' as const), at: fc.nat(bytes.length), by: fc.nat(127) }),
      fc.record({ kind: fc.constant('take' as const), at: fc.nat(bytes.length - 1), by: fc.constant(0) }),
    )
    fc.assert(
      fc.property(change, ({ kind, at, by }) => {
        const changed =
          kind === 'flip'
            ? Buffer.concat([bytes.subarray(0, at), Buffer.from([(bytes[at] ?? 0) ^ by]), bytes.subarray(at + 1)])
            : kind === 'add'
              ? Buffer.concat([bytes.subarray(0, at), Buffer.from([by]), bytes.subarray(at)])
              : Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)])
        return ['tampered', 'no_evidence'].includes(verdict(name, changed).kind)
      }),
      { numRuns: 500 },
    )
  })
})

describe('what was tampered with is said', () => {
  const { json, page } = bundle
  const swapPayload = (change: (document: string) => string) => {
    const envelope = JSON.parse(json.content) as { payload: string }
    const document = change(Buffer.from(envelope.payload, 'base64').toString('utf8'))
    return json.content.replace(envelope.payload, Buffer.from(document).toString('base64'))
  }

  test('the document', () => {
    expect(
      why(
        verdict(
          json.name,
          swapPayload((text) => text.replace('"decision":"approve"', '"decision":"reject"')),
        ),
      ),
    ).toBe('tampered: the signature does not fit the document')
  })

  test('the signature', () => {
    const changed = json.content.replace(/"sig":"(.)/, (_, first: string) => `"sig":"${first === 'A' ? 'B' : 'A'}`)
    expect(why(verdict(json.name, changed))).toBe('tampered: the signature does not fit the document')
  })

  test('the key: another name of it, and a stranger who signs the document anew with his own', () => {
    const other = newSigner()
    expect(why(verdict(json.name, json.content.replace(signer.keyId, other.keyId)))).toBe(
      'tampered: it names a key that is neither known here nor the one of the document inside',
    )
    expect(verdict(json.name, sampleBundle(other).json.content)).toMatchObject({ kind: 'unknown_key', keyId: other.keyId })
    expect(verdict(page.name, sampleBundle(other).page.content)).toMatchObject({ kind: 'unknown_key', keyId: other.keyId })
  })

  test('the envelope, though the document in it is whole', () => {
    expect(why(verdict(json.name, json.content.replace('{', '{ ')))).toBe(
      'tampered: the document is whole, but the file around it is not written as it was signed',
    )
  })

  test('the words of a page, and the document inside it', () => {
    expect(why(verdict(page.name, page.content.replace('Succeeded', 'Failed')))).toBe(
      'tampered: the document inside the page is whole, but the page around it is not the one that was signed',
    )
    expect(why(verdict(page.name, page.content.replace(/"payload":"./, '"payload":"f')))).toBe(
      'tampered: the signed document inside the page has been changed: the signature does not fit the document',
    )
    expect(why(verdict(page.name, `${page.content}<p>and approved by the board</p>`))).toBe(
      "tampered: the page's own signature, its last line, is missing or has been changed",
    )
    const older = sampleBundle(signer, { state: 'running' })
    const grafted = page.content.replace(/\{"payload":.*\]\}/, older.json.content.trimEnd())
    expect(why(verdict(page.name, grafted))).toBe(
      'tampered: the document inside the page is whole, but the page around it is not the one that was signed',
    )
  })

  test('an older bundle under a newer name, and one of another request', () => {
    expect(why(verdict('evidence-42-prod-20261121T080000Z.json', json.content))).toBe(
      'tampered: the file is named evidence-42-prod-20261121T080000Z, but it holds evidence-42-prod-20261120T215450Z, which is another bundle under this name',
    )
    expect(why(verdict('evidence-43-prod-20261120T215450Z.html', page.content))).toBe(
      'tampered: the file is named evidence-43-prod-20261120T215450Z, but it holds evidence-42-prod-20261120T215450Z, which is another bundle under this name',
    )
  })

  test('a bundle of another store, though the same key signed it', () => {
    const elsewhere = sampleBundle(signer, { store: '00000000-0000-4000-8000-000000000002' })
    expect(why(verdict(elsewhere.json.name, elsewhere.json.content))).toBe(
      'tampered: it comes from another store (00000000-0000-4000-8000-000000000002) than the one that is asked here (00000000-0000-4000-8000-000000000001)',
    )
    expect(why(verdict(elsewhere.json.name, elsewhere.json.content, { ...trusted, store: null }))).toBe('whole')
  })

  test('a file that is something else', () => {
    expect(why(verdict('notes.txt', 'hello'))).toBe('no_evidence: it is neither a signed envelope nor a page that Lockkeeper made')
    expect(why(verdict('package.json', '{"name":"shop"}'))).toBe('no_evidence: it is no signed envelope (DSSE)')
    expect(why(verdict('picture.png', Buffer.from([0x89, 0x50, 0xff])))).toBe('no_evidence: it is not text in UTF-8')
  })
})

describe('the recipe of docs/evidence.md, which knows nothing of this code', () => {
  let directory = ''
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lockkeeper-evidence-'))
    const guide = await readFile(join(import.meta.dirname, '../../docs/evidence.md'), 'utf8')
    const recipe = /```js\n([^]*?)```/.exec(guide)?.[1]
    await writeFile(join(directory, 'verify.mjs'), recipe ?? 'throw new Error("docs/evidence.md has no recipe")')
    await writeFile(join(directory, 'public.pem'), signer.publicKey)
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))

  const recipeSays = async (content: string, key = 'public.pem') => {
    await writeFile(join(directory, 'bundle'), content)
    return new Promise<string>((done) =>
      execFile(process.execPath, ['verify.mjs', key, 'bundle'], { cwd: directory }, (_, out) => done(out.trim())),
    )
  }

  test('finds both files whole, with the SHA-256 that the page shows', async () => {
    expect(await recipeSays(bundle.json.content)).toBe(`whole ${bundle.sha256}`)
    expect(await recipeSays(bundle.page.content)).toBe(`whole ${bundle.sha256}`)
    expect(bundle.page.content).toContain(bundle.sha256)
  })

  test('finds a changed document, a changed page and another key', async () => {
    const envelope = JSON.parse(bundle.json.content) as { payload: string }
    const document = Buffer.from(envelope.payload, 'base64').toString('utf8').replace('"approve"', '"reject"')
    const changed = bundle.json.content.replace(envelope.payload, Buffer.from(document).toString('base64'))
    expect(await recipeSays(changed)).toMatch(/^TAMPERED /)
    expect(await recipeSays(bundle.page.content.replace('Succeeded', 'Failed'))).toMatch(/^TAMPERED /)
    await writeFile(join(directory, 'other.pem'), newSigner().publicKey)
    expect(await recipeSays(bundle.json.content, 'other.pem')).toMatch(/^TAMPERED /)
  })
})
