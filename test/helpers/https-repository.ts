import { generateKeyPairSync, sign } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { join, normalize } from 'node:path'
import { git } from './sample.ts'

/** A bare repository on this machine behind https and a login, as a host of repositories offers it. */
export type HttpsRepository = {
  /** With the login in it. */
  readonly url: string
  /** How often somebody came with the right login, and without. */
  readonly calls: { allowed: number; refused: number }
  /** From now on whoever comes is told this and turned away; null lets them in again. */
  readonly refuseWith: (words: string | null) => void
  /** Makes git trust this host in the bare clone that a bot is going to use. */
  readonly trustIn: (clone: string) => Promise<void>
  readonly close: () => Promise<void>
}

export async function serveRepository(path: string, login: { readonly user: string; readonly password: string }): Promise<HttpsRepository> {
  const { key, certificate } = selfSigned()
  const expected = `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`
  const calls = { allowed: 0, refused: 0 }
  let words: string | null = null
  const server = createServer({ key, cert: certificate }, (request, response) => {
    const isAllowed = request.headers.authorization === expected
    calls[isAllowed ? 'allowed' : 'refused'] += 1
    if (!isAllowed) return void response.writeHead(401, { 'www-authenticate': 'Basic' }).end()
    if (words !== null) return void response.writeHead(403, { 'content-type': 'text/plain' }).end(words)
    const { pathname } = new URL(request.url ?? '/', 'https://localhost')
    // the old protocol: git reads the files of the repository by itself
    const file = join(path, normalize(decodeURIComponent(pathname)).replace(/^\/shop\.git/, ''))
    const fresh = pathname.endsWith('/info/refs') ? git(path, ['update-server-info']) : Promise.resolve('')
    fresh
      .then(() => readFile(file))
      .then(
        (content) => response.end(content),
        () => response.writeHead(404).end(),
      )
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const url = new URL(`https://localhost:${port}/shop.git`)
  url.username = login.user
  url.password = encodeURIComponent(login.password)
  return {
    url: url.href,
    calls,
    refuseWith: (text) => void (words = text),
    async trustIn(clone) {
      await mkdir(clone, { recursive: true, mode: 0o700 })
      await git(clone, ['init', '--quiet', '--bare', '.'])
      await writeFile(join(clone, 'test-host.pem'), certificate)
      await git(clone, ['config', 'http.sslCAInfo', join(clone, 'test-host.pem')])
    },
    async close() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}

/** For `localhost`, by a key that nobody keeps. There is no program for this that every machine has, so its few fields are written here. */
function selfSigned(): { readonly key: string; readonly certificate: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = sequence(tagged(0x31, sequence(oid('550403'), tagged(0x0c, Buffer.from('localhost'))))) // CN
  const algorithm = sequence(oid('2a8648ce3d040302')) // ecdsa-with-SHA256
  const time = (ms: number) => tagged(0x17, Buffer.from(new Date(ms).toISOString().replace(/^20|[-:T]|\.\d+/g, '')))
  const DAY = 86_400_000
  const alternative = sequence(oid('551d11'), tagged(0x04, sequence(tagged(0x82, Buffer.from('localhost')))))
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))), // version 3
    tagged(0x02, Buffer.from([1])),
    algorithm,
    name,
    sequence(time(Date.now() - DAY), time(Date.now() + DAY)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(alternative)),
  )
  const der = sequence(body, algorithm, tagged(0x03, Buffer.concat([Buffer.of(0), sign('sha256', body, privateKey)])))
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
  }
}

const sequence = (...parts: readonly Buffer[]) => tagged(0x30, Buffer.concat(parts))
const oid = (hex: string) => tagged(0x06, Buffer.from(hex, 'hex'))

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...size), content])
}
