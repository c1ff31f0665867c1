import type { Asker } from '../../commands/parse/channel-scope.ts'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { dispatch } from '../../commands/dispatch.ts'
import { parseText, parseWords } from '../../commands/parse/command.ts'
import type { VerbDeps } from '../../commands/verbs/reply.ts'
import type { ConfigFile } from '../../src/config/schema.ts'
import { createExport } from '../../src/evidence/export.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import { ALICE, baseTarget, createFixture, type Store, type Fixture } from '../approvals/fixture.ts'
import { createStore } from '../helpers/postgres.ts'

let store: Store
let fixture: Fixture
let deps: VerbDeps
let directory = ''
let faults: unknown[] = []

beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(async () => {
  faults = []
  fixture = await createFixture({
    store,
    targets: { prod: { ...baseTarget, label: 'Production', askIn: ['C0PROD'] } },
    people: { 'os:deploy': ALICE },
  })
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-export-'))
  deps = depsWith({})
  await fixture.waiting()
  return () => rm(directory, { recursive: true, force: true })
})

function depsWith(evidence: ConfigFile['evidence'], secret = ''): VerbDeps {
  return {
    ...fixture.deps,
    known: { targets: ['prod'], command: '/migrate' },
    lookLive: async () => null,
    commitsNotLive: async () => null,
    readStatus: async () => Promise.reject(new Error('not part of these tests')),
    askLiveCommit: async () => null,
    readOtherRecord: async () => Promise.reject(new Error('no target comes first')),
    makePlan: async () => Promise.reject(new Error('not part of these tests')),
    whyNoRun: async () => null,
    onFault: (error) => faults.push(error),
    slack: fixture.slack.files,
    exportEvidence: createExport({
      db: store.db,
      config: { file: { evidence } as ConfigFile, secret: () => secret, varDirectory: directory }, // only this part is read
      redactor: createRedactor([]),
      slack: fixture.slack.port,
      titleOf: () => 'Production',
      filesOf: async () => [],
      version: '0.1.0',
    }),
  }
}

const inChannel: Asker = { account: ALICE, entry: 'slash', origin: { channel: 'C0PROD', isDirect: false } }
const atMachine: Asker = { account: 'os:deploy', entry: 'cli', origin: null }

const steady = (text: string) =>
  text
    .replaceAll(directory, '{directory}')
    .replace(/\d{8}T\d{6}Z/g, '{time}')
    .replace(/sha256:[0-9a-f]{64}/g, '{key}')
    .replace(/[0-9a-f]{64}/g, '{hash}')

async function told(words: string | readonly string[], asker = inChannel): Promise<string> {
  const parsed = typeof words === 'string' ? parseText(words, deps.known) : parseWords(words, { ...deps.known, command: 'lockkeeper' })
  const reply = isRefusal(parsed) ? parsed : await dispatch(deps, parsed, asker)
  return steady(reply.kind === 'form' ? 'form' : reply.text)
}

const cardIn = (channel: string) =>
  store.db.query(
    `insert into lockkeeper.message (key, request_id, channel, intent, ts, state) values ('card:1', 1, $1, 'lk_1', '1700000000.000100', 'sent')`,
    [channel],
  )

const audited = async () => (await fixture.audited()).filter((line) => / export /.test(line))
const HASHES = 'SHA-256 of the document `{hash}`, signed with the key `{key}`.'

describe('in Slack', () => {
  test('both files go to the thread of the card, and the answer leads there', async () => {
    await cardIn('C0DEPLOYS')
    expect(await told('export 1')).toBe(
      `The evidence of #1 is in <https://harbor.slack.example/archives/C0DEPLOYS/p1700000000.000100|the thread of its card>: a page to read and the signed document. It is not final: the request has not ended. ${HASHES}`,
    )
    expect(fixture.slack.uploads.map(({ channel, thread, name }) => [channel, thread, steady(name)])).toEqual([
      ['C0DEPLOYS', '1700000000.000100', 'evidence-1-prod-{time}.html'],
      ['C0DEPLOYS', '1700000000.000100', 'evidence-1-prod-{time}.json'],
    ])
    expect(await audited()).toEqual(['U0ALICE export signed', 'U0ALICE export allowed'])
  })

  test('without a card, or where the bot may not write beside it, they go to the asker', async () => {
    const direct = `The evidence of #1 is in your direct messages with Lockkeeper, since it cannot write beside the card: a page to read and the signed document. It is not final: the request has not ended. ${HASHES}`
    expect(await told('export 1')).toBe(direct)
    await cardIn('C0DEPLOYS')
    fixture.slack.uploadAnswers.set('C0DEPLOYS', { kind: 'refused', error: 'is_archived' })
    expect(await told('export 1')).toBe(direct)
    expect(fixture.slack.uploads.map(({ channel }) => channel)).toEqual(['D0ALICE', 'D0ALICE', 'D0ALICE', 'D0ALICE'])
  })

  test.each([
    [
      { kind: 'refused', error: 'missing_scope' },
      'Slack lets Lockkeeper upload no files here (the scope `files:write` is missing), so the evidence of #1 was not posted. On the machine of Lockkeeper, `lockkeeper export 1` writes the files.',
    ],
    [
      { kind: 'unsure', cause: 'no answer' },
      'Slack did not say whether the evidence of #1 arrived. Look into the thread of its card; if it is not there, ask again. On the machine of Lockkeeper, `lockkeeper export 1` writes the files.',
    ],
    [
      { kind: 'limited', retryAfterMs: 29_500 },
      'Slack asks Lockkeeper to wait 30 s before it posts more, so the evidence of #1 was not posted. Ask again then. On the machine of Lockkeeper, `lockkeeper export 1` writes the files.',
    ],
  ] as const)('what Slack does not take is said with the other way: %j', async (sent, text) => {
    await cardIn('C0DEPLOYS')
    fixture.slack.uploadAnswers.set('C0DEPLOYS', sent)
    expect(await told('export 1')).toBe(text)
    expect(await audited()).toEqual(['U0ALICE export signed', 'U0ALICE export not_delivered'])
  })

  test('whoever may not see the request there gets nothing, and the attempt is written down', async () => {
    expect(await told('export 1', { account: ALICE, entry: 'slash', origin: { channel: 'C0OTHER', isDirect: false } })).toBe(
      '`prod` may not be asked for here. Nothing was started. Type it in <#C0DEPLOYS> or <#C0PROD>.',
    )
    expect(await told('export 1', { account: ALICE, entry: 'slash', origin: { channel: 'D0ALICE', isDirect: true } })).toBe(
      'Requests are made where others can see them, not in a direct message. Nothing was started. Type it in a channel.',
    )
    expect(await told('export 1', { ...inChannel, account: 'U0GUEST' })).toMatch(/^Lockkeeper takes requests and votes from full members/)
    expect(await told('export 4711')).toBe('There is no request #4711. `/migrate history` lists those there are.')
    expect(fixture.slack.uploads).toEqual([])
    expect(await audited()).toEqual([
      'U0ALICE export wrong_channel',
      'U0ALICE export wrong_channel',
      'U0GUEST export not_a_member',
      'U0ALICE export unknown_request',
    ])
  })

  test('knows no directory', async () => {
    expect(await told('export 1 --out /srv')).toBe(
      '`--out` is no option of `export`, which takes no options. Nothing was started. For example: `/migrate export 42`.',
    )
  })

  test('a key that cannot sign is told, and nothing is handed out', async () => {
    deps = depsWith({ key: 'env:EVIDENCE_KEY' }, 'no key')
    expect(await told('export 1')).toBe(
      'The key that signs evidence, evidence.key (env:EVIDENCE_KEY), cannot be used: it is not an Ed25519 private key in PEM. Nothing was signed. Make one with openssl genpkey -algorithm ed25519.',
    )
    expect(faults).toHaveLength(1)
    expect(await audited()).toEqual(['U0ALICE export not_delivered'])
  })
})

describe('on the command line', () => {
  test('both files are written to a directory, readable by their owner alone, and never over another', async () => {
    const out = join(directory, 'new', 'place')
    expect(await told(['export', '1', '--out', out], atMachine)).toBe(
      [
        'The evidence of #1 is written. It is not final: the request has not ended.',
        '{directory}/new/place/evidence-1-prod-{time}.html is the page to read.',
        '{directory}/new/place/evidence-1-prod-{time}.json is the signed document.',
        HASHES,
      ].join('\n'),
    )
    const files = await readdir(out)
    expect(files.map(steady)).toEqual(['evidence-1-prod-{time}.html', 'evidence-1-prod-{time}.json'])
    expect(await Promise.all(files.map(async (name) => (await stat(join(out, name))).mode & 0o777))).toEqual([0o600, 0o600])
    expect(await audited()).toEqual(['os:deploy export signed', 'os:deploy export allowed'])
  })

  test('a directory that is none is said', async () => {
    expect(await told(['export', '1', '--out', '/dev/null/x'], atMachine)).toBe(
      "The evidence of #1 could not be written to `/dev/null/x`: ENOTDIR: not a directory, mkdir '/dev/null/x'. Choose another directory with `--out DIR`.",
    )
    expect(await audited()).toEqual(['os:deploy export signed', 'os:deploy export not_delivered'])
  })
})
