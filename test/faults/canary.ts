import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { TestDatabase } from '../helpers/postgres.ts'

/** A password that must stand nowhere, with characters that each way of writing it down changes. */
export const canaryPassword = (): string => `Kanari!(1)'&<v>%/@ ${randomBytes(12).toString('hex')}`

/** The ways in which a secret may have been written down, and each half of its heart, should it have been split. */
export function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret)
  const heart = secret.match(/[0-9a-f]{24,}/)?.[0]
  const percent = encodeURIComponent(secret)
  // base64 differs by where in a longer text the secret began; the ends, which its neighbours change, are left out
  const base64 = [0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .slice(4, -4),
  )
  return [
    secret,
    percent,
    percent.replace(/['()*!]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`),
    JSON.stringify(secret).slice(1, -1),
    bytes.toString('hex'),
    ...base64,
    ...base64.map((form) => form.replaceAll('+', '-').replaceAll('/', '_')),
    ...(heart === undefined ? [] : [heart.slice(0, heart.length / 2), heart.slice(heart.length / 2)]),
  ].filter((form, at, all) => form.length >= 8 && all.indexOf(form) === at)
}

export type Role = 'store' | 'target'
export type RoleLogin = { readonly url: string; readonly password: string; readonly drop: () => Promise<void> }

/** A login of this database's own with a canary for its password. In the store it owns its database and is no superuser. */
export async function roleFor(database: TestDatabase, role: Role): Promise<RoleLogin> {
  const password = canaryPassword()
  const name = `${role}_${database.name}`
  const quoted = pg.escapeIdentifier(name)
  await asAdmin(database, async (client) => {
    await client.query(`create role ${quoted} login ${role === 'target' ? 'superuser' : ''} password ${pg.escapeLiteral(password)}`)
    if (role === 'store') await client.query(`alter database ${pg.escapeIdentifier(database.name)} owner to ${quoted}`)
  })
  const url = new URL(database.url)
  url.username = name
  url.password = encodeURIComponent(password)
  return {
    url: url.href,
    password,
    drop: () => asAdmin(database, async (client) => void (await client.query(`drop role if exists ${quoted}`))),
  }
}

/** In the server's maintenance database, which outlives the one that is tested. */
async function asAdmin(database: TestDatabase, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const url = new URL(database.url)
  url.pathname = '/postgres'
  const client = new pg.Client({ connectionString: url.href })
  client.on('error', () => {})
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
