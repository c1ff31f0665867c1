import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { join, normalize } from 'node:path'
import { selfSigned } from './certificate.ts'
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
