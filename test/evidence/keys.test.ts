import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { knownKeys, ownSigner } from '../../src/evidence/keys.ts'
import type { ConfigFile } from '../../src/config/schema.ts'
import { createStore } from '../helpers/postgres.ts'

let store: Awaited<ReturnType<typeof createStore>>
let directory = ''
beforeAll(async () => {
  store = await createStore()
})
afterAll(() => store.close())
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-keys-'))
  await store.db.query('truncate lockkeeper.evidence_key')
  return () => rm(directory, { recursive: true, force: true })
})

const config = (key?: string) => ({
  file: { evidence: key === undefined ? {} : { key: 'env:EVIDENCE_KEY' } } as ConfigFile, // only this part is read
  secret: () => key ?? '',
  varDirectory: directory,
})
const newKey = (type: 'ed25519' | 'x25519' = 'ed25519') =>
  (type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519')).privateKey
    .export({ type: 'pkcs8', format: 'pem' })
    .toString()

test('without one in the configuration a key is made once, readable by its owner alone, however many ask at the same time', async () => {
  const signers = await Promise.all(Array.from({ length: 8 }, () => ownSigner(store.db, config())))
  expect(new Set(signers.map(({ keyId }) => keyId)).size).toBe(1)
  expect(await readdir(join(directory, 'evidence'))).toEqual(['key.pem'])
  expect((await stat(join(directory, 'evidence', 'key.pem'))).mode & 0o777).toBe(0o600)
  expect((await stat(join(directory, 'evidence'))).mode & 0o777).toBe(0o700)
  expect((await ownSigner(store.db, config())).keyId).toBe(signers[0]?.keyId)
  const rows = await store.db.query(`select act, result, data->>'keyId' as key from lockkeeper.audit where act = 'evidence_key'`)
  expect(rows).toEqual([{ act: 'evidence_key', result: 'registered', key: signers[0]?.keyId }])
})

test('keys of several replicas stand in the store, public halves only', async () => {
  const pems = [newKey(), newKey().replaceAll('\n', '\\n')]
  const signers = await Promise.all(pems.map((pem) => ownSigner(store.db, config(pem))))
  const known = await knownKeys(store.db)
  expect(known.map(({ keyId }) => keyId).sort()).toEqual(signers.map(({ keyId }) => keyId).sort())
  expect(known.every(({ publicKey }) => publicKey.startsWith('-----BEGIN PUBLIC KEY-----\n'))).toBe(true)
  expect(JSON.stringify(await store.db.query('select * from lockkeeper.evidence_key'))).not.toContain('PRIVATE')
  expect(await readdir(directory)).toEqual([])
})

test.each(['not a key', newKey('x25519')])('a configured key that cannot sign is refused, and not shown', async (pem) => {
  await expect(ownSigner(store.db, config(pem))).rejects.toThrow(
    'The key that signs evidence, evidence.key (env:EVIDENCE_KEY), cannot be used: it is not an Ed25519 private key in PEM. Nothing was signed. Make one with openssl genpkey -algorithm ed25519.',
  )
  expect(await knownKeys(store.db)).toEqual([])
})
