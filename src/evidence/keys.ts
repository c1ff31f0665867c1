import { generateKeyPairSync } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { writeAudit } from '../audit/write.ts'
import type { Config } from '../config/config.ts'
import { writeFirstSync } from '../lib/durable-file.ts'
import type { Queries } from '../store/pool.ts'
import { StartFault } from '../lib/start-fault.ts'
import { signerOf, type Signer } from './envelope.ts'

export type KnownKey = { readonly keyId: string; readonly publicKey: string; readonly registeredAt: Date }

/**
 * The key of this installation: `evidence.key` of the configuration, or one that is made at first use below `var/evidence`. Its public
 * half is registered in the store, so that every replica, and whoever verifies later, knows it.
 */
export async function ownSigner(db: Queries, config: Pick<Config, 'file' | 'secret' | 'varDirectory'>): Promise<Signer> {
  const reference = config.file.evidence.key
  const signer =
    reference === undefined
      ? readKey(await madeKey(config), 'evidence/key.pem below var/')
      : readKey(config.secret(reference), `evidence.key (${reference})`)
  const added = await db.query(
    `insert into lockkeeper.evidence_key (key_id, public_key) values ($1, $2) on conflict (key_id) do nothing returning 1`,
    [signer.keyId, signer.publicKey],
  )
  if (added.length > 0)
    await writeAudit(db, { actor: 'lockkeeper', act: 'evidence_key', result: 'registered', data: { keyId: signer.keyId } })
  return signer
}

/** Where the key is when none is configured. */
export const keyPath = ({ varDirectory }: Pick<Config, 'varDirectory'>): string => join(varDirectory, 'evidence', 'key.pem')

/** Of every replica that ever signed here, oldest first. */
export async function knownKeys(db: Queries): Promise<readonly KnownKey[]> {
  return db.query<KnownKey>(
    `select key_id as "keyId", public_key as "publicKey", registered_at as "registeredAt" from lockkeeper.evidence_key
     order by registered_at, key_id`,
  )
}

function readKey(pem: string, where: string): Signer {
  try {
    // a variable of the environment often holds its line ends as \n
    return signerOf(pem.replaceAll('\\n', '\n'))
  } catch (error) {
    throw new StartFault(
      'configuration',
      `The key that signs evidence, ${where}, cannot be used: it is not an Ed25519 private key in PEM. Nothing was signed. Make one with openssl genpkey -algorithm ed25519.`,
      error,
    )
  }
}

/** Written whole under another name first, so that of several processes at their first use all find the same key. */
async function madeKey(config: Pick<Config, 'varDirectory'>): Promise<string> {
  const path = keyPath(config)
  const directory = dirname(path)
  const there = await readFile(path, 'utf8').catch(absent)
  if (there !== undefined) return there
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const { privateKey } = generateKeyPairSync('ed25519')
  writeFirstSync(path, privateKey.export({ type: 'pkcs8', format: 'pem' })) // another process may be faster: its key counts
  return readFile(path, 'utf8')
}

const absent = (error: NodeJS.ErrnoException) => {
  if (error.code !== 'ENOENT') throw error
  return undefined
}
