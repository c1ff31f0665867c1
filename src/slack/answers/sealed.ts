import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** Texts that only a bot with the same token can read: who reads the store alone may not write to people. */
export type Seal = {
  readonly seal: (text: string) => string
  /** Null when it was sealed with another token. */
  readonly open: (sealed: string) => string | null
}

const NONCE = 12
const TAG = 16

export function createSeal(token: string): Seal {
  const key = new Uint8Array(hkdfSync('sha256', token, '', 'lockkeeper response_url', 32))
  return {
    seal(text) {
      const nonce = randomBytes(NONCE)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      const hidden = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), hidden]).toString('base64url')
    },
    open(sealed) {
      const bytes = Buffer.from(sealed, 'base64url')
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE), { authTagLength: TAG })
        decipher.setAuthTag(bytes.subarray(NONCE, NONCE + TAG))
        return Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()]).toString('utf8')
      } catch {
        return null // sealed with a token that was exchanged since
      }
    },
  }
}
