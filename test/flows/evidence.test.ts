import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { EvidenceDocument } from '../../src/evidence/document/document.ts'
import { readEnvelope } from '../../src/evidence/envelope.ts'
import { startFlow, type Flow } from '../helpers/flow.ts'
import { onServer } from '../helpers/postgres.ts'
import { placesOf } from '../helpers/secrets.ts'
import { lockkeeper } from '../commands/operator/lockkeeper.ts'

/** A whole run starts a dozen real programs; on a busy machine they take longer than a test of one part. */
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const CANARY = `Stieg<litz>&"'/%7 Zaunkoenig`
/** A word of this file alone, in the ways in which it can be written down. */
const forms = ['Zaunkoenig', 'WmF1bmtvZW5pZ', 'phdW5rb2VuaW', 'aYXVua29lbml', '5a61756e6b6f656e6967', '5A61756E6B6F656E6967']

let flow: Flow
let role = ''

beforeAll(async () => {
  let url = ''
  flow = await startFlow({
    people: { [`os:${userInfo().username}`]: 'U0CAROL' },
    async prepare({ database }) {
      role = `canary_${database.name}`
      await onServer(`create role "${role}" superuser login password '${CANARY.replaceAll("'", "''")}'`)
      const own = new URL(database.url)
      own.username = role
      own.password = encodeURIComponent(CANARY)
      url = own.href
    },
    env: () => ({ PROD_DATABASE_URL: url }),
    target: () => ({
      deploy: [
        {
          name: 'Tell everything',
          run: [
            'node',
            '-e',
            `const url = process.env.DATABASE_URL, word = decodeURIComponent(new URL(url).password);
             for (const text of [url, word, JSON.stringify({ word }), Buffer.from(word).toString('base64'), Buffer.from('a' + word).toString('base64'), Buffer.from('ab' + word).toString('base64'), Buffer.from(word).toString('hex')]) console.log('told', text);
             process.stdout.write(word.slice(0, 9)); setTimeout(() => process.stdout.write(word.slice(9) + '\\n'), 200)`,
          ],
          database: true,
        },
      ],
    }),
  })
})
afterAll(async () => {
  await flow?.close()
  if (role !== '') await onServer(`drop role if exists "${role}"`)
})

const cli = (...words: string[]) => lockkeeper(['--config', flow.configPath, ...words], { cwd: flow.directory, env: flow.env })

const uploaded = (ending: string): { readonly name: string; readonly content: string } => {
  const found = flow.slack.files().findLast(({ name }) => name.startsWith('evidence-') && name.endsWith(ending))
  if (found === undefined) throw new Error(`no evidence ${ending} was uploaded`)
  return found
}

const documentIn = (content: string): EvidenceDocument =>
  JSON.parse(readEnvelope(content)?.payload.toString('utf8') ?? 'null') as EvidenceDocument // written by this version

const steady = (text: string) =>
  text
    .replaceAll(flow.directory, '{directory}')
    .replace(/sha256:[0-9a-f]{64}/g, '{key}')
    .replace(/\b[0-9a-f]{64}\b/g, '{hash}')
    .replace(/\d{8}T\d{6}Z/g, '{time}')
    .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, '{time}')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '{store}')

test('a request is exported while it waits and after it ran, in Slack and at the machine, and both verify', async () => {
  const request = await flow.ask('deploy prod --reason "Checkout needs discounts"')
  expect(steady(await flow.answer('export 1', 'U0CAROL'))).toMatch(
    /^The evidence of #1 is in <\S+\|the thread of its card>: a page to read and the signed document\. It is not final: the request has not ended\. SHA-256 of the document `\{hash\}`, signed with the key `\{key\}`\.$/,
  )
  const waiting = documentIn(uploaded('.json').content)
  expect(waiting).toMatchObject({ exported: { isFinal: false, by: { account: 'U0CAROL' } }, request: { state: 'waiting' }, steps: [] })

  await flow.approve(request.id)
  await flow.reaches(request.id, 'succeeded')
  await flow.drawn(request.id)
  await flow.answer('export 1', 'U0CAROL')
  const posts = flow.thread(request.id).filter((post) => post.includes('Evidence of #1'))
  expect(posts).toEqual([
    '[file] Evidence of #1, page (evidence-1-{backup}.html)',
    '[file] Evidence of #1, signed document (evidence-1-{backup}.json)',
    '[file] Evidence of #1, page (evidence-1-{backup}.html)',
    '[file] Evidence of #1, signed document (evidence-1-{backup}.json)',
  ])
  const found = documentIn(uploaded('.json').content)
  expect(found).toMatchObject({
    exported: { isFinal: true },
    request: { id: 1, state: 'succeeded', reason: 'Checkout needs discounts', askedBy: { account: 'U0ALICE' }, askedIn: 'C0DEPLOYS' },
    plan: { digest: request.digest, isDigestOfContent: true },
    votes: [{ by: { account: 'U0BOB', human: 'U0BOB' }, decision: 'approve', counts: true, digest: request.digest }],
    checks: { count: 16 },
    backups: [{ state: 'verified', forDigest: request.digest, manifestMissing: null, verification: { isVerified: true } }],
    health: { state: 'done', answers: [{ said: 'HTTP 200' }] },
    tools: { lockkeeper: '0.1.0', node: process.version, prisma: '6.19.3' },
  })
  expect(found.migrations.map(({ sql }) => sql)).toMatchObject(
    found.migrations.map(({ sha256 }) => ({ kind: 'text', sha256, isApproved: true, isRedacted: false, cut: 0 })),
  )
  expect(found.migrations).toHaveLength(3)
  expect(found.backups[0]?.manifestSha256).toMatch(/^[0-9a-f]{64}$/)
  expect(found.steps.map(({ name, state, attempts }) => [name, state, attempts])).toEqual(
    ['preflight', 'install', 'backup', 'verify-backup', 'migrate', 'verify-schema', found.steps[6]?.name, 'health'].map((name) => [
      name,
      'done',
      1,
    ]),
  )
  const audit = found.timeline.entries.filter(({ source }) => source === 'audit')
  expect(audit.map(({ what }) => what)).toEqual(
    expect.arrayContaining([
      'Audit: U0ALICE request, opened',
      'Audit: U0CAROL export, signed',
      'Audit: lockkeeper run, started',
      'Audit: lockkeeper run, succeeded',
    ]),
  )
  // each row of the hash chain can be checked from the bundle alone
  const hash = (text: string) => createHash('sha256').update(text).digest('hex')
  expect(audit.map(({ chain }) => chain?.hash)).toEqual(audit.map(({ chain }) => hash(`${chain?.prev}\n${chain?.line}`)))

  const out = join(flow.directory, 'bundles')
  const exported = await cli('export', '1', '--out', out)
  expect({ ...exported, out: steady(exported.out) }).toEqual({
    code: 0,
    err: '',
    out: [
      'The evidence of #1 is written.',
      '{directory}/bundles/evidence-1-prod-{time}.html is the page to read.',
      '{directory}/bundles/evidence-1-prod-{time}.json is the signed document.',
      'SHA-256 of the document `{hash}`, signed with the key `{key}`.\n',
    ].join('\n'),
  })
  for (const name of await readdir(out)) {
    const verified = await cli('evidence', 'verify', join(out, name))
    expect({ ...verified, out: steady(verified.out) }).toEqual({
      code: 0,
      err: '',
      out: `WHOLE: {directory}/bundles/${steady(name)} is what Lockkeeper signed.\nRequest #1 to prod, succeeded, exported {time} for os:${userInfo().username}.\nSHA-256 of the document {hash}, key {key}.\n`,
    })
  }
})

test('the command line tells a tampered bundle, an unknown key and what is no bundle apart, and needs no store with a key', async () => {
  const place = join(flow.directory, 'verify')
  await mkdir(place)
  const { name, content } = uploaded('.html')
  const path = join(place, name)
  await writeFile(path, content.replace('Succeeded', 'Failed'))
  const tampered = await cli('evidence', 'verify', path)
  expect({ ...tampered, err: steady(tampered.err) }).toEqual({
    code: 1,
    out: '',
    err: `TAMPERED: {directory}/verify/${steady(name)} proves nothing, since the document inside the page is whole, but the page around it is not the one that was signed. Ask for the bundle again where it was made.\n`,
  })

  await writeFile(path, content)
  const keys = await cli('evidence', 'key')
  expect(keys.code).toBe(0)
  expect(steady(keys.out)).toMatch(
    /^Keys that sign evidence of the store \{store\}:\n\n\{key\}, since \{time\}\n-----BEGIN PUBLIC KEY-----\n/,
  )
  await writeFile(join(place, 'public.pem'), /-----BEGIN[^]*END PUBLIC KEY-----\n/.exec(keys.out)?.[0] ?? '')
  const alone = await lockkeeper(['evidence', 'verify', '--key', 'public.pem', name], { cwd: place })
  expect({ code: alone.code, err: alone.err }).toEqual({ code: 0, err: '' })

  await flow.store.query('delete from lockkeeper.evidence_key')
  const unknown = await cli('evidence', 'verify', path)
  expect({ ...unknown, err: steady(unknown.err) }).toEqual({
    code: 3,
    out: '',
    err: `UNKNOWN KEY: {directory}/verify/${steady(name)} is signed with {key}, which is not known here. It says that it comes from the store {store}. Its bytes fit that key, but anybody can make a key: get the public key from whoever operates that Lockkeeper, compare, and verify with --key.\n`,
  })

  const none = await cli('evidence', 'verify', flow.configPath)
  expect({ ...none, err: steady(none.err) }).toEqual({
    code: 2,
    out: '',
    err: '{directory}/lockkeeper.yaml is no evidence bundle: it is no signed envelope (DSSE). Nothing was verified.\n',
  })
  expect((await cli('evidence', 'sign')).err).toMatch(/^It knows key and verify\. Nothing was done\.\n {2}lockkeeper evidence key/)
})

test('a password that a step prints in every form stands in no bundle, message, row, log or file', async () => {
  const files = flow.slack.files().filter(({ name }) => name.startsWith('evidence-'))
  expect(files).toHaveLength(4)
  const texts = files.flatMap(({ name, content }) => [content, readEnvelope(content)?.payload.toString('utf8') ?? name])
  const found = documentIn(uploaded('.json').content)
  expect(found.output.kind === 'text' && found.output.head.match(/told .*\[redacted\]/g)).toHaveLength(7)
  expect(forms.filter((form) => texts.some((text) => text.includes(form)))).toEqual([])
  expect(await placesOf(flow, forms)).toEqual([])
  const own = await readFile(join(flow.directory, 'var', 'evidence', 'key.pem'), 'utf8')
  const secretOfKey = own.split('\n')[1] ?? own
  expect((await placesOf(flow, [secretOfKey])).map(steady)).toEqual(['{directory}/var/evidence/key.pem'])
})
