import { mkdir, readFile, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import { join, normalize } from 'node:path'
import { json } from 'node:stream/consumers'
import { z } from 'zod'
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
  /** From now on the LFS of this host answers so, with 403. */
  readonly refuseLfsWith: (words: string) => void
  /** The files of Git LFS by their SHA-256. Like hosts do, they are kept at an address of their own, which asks for no login. */
  readonly lfs: Map<string, Buffer>
  /** The logins that came along to that address; a file was asked for so often. */
  readonly broughtToLfs: (string | undefined)[]
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
    if (pathname === '/shop.git/info/lfs/objects/batch') return void answerBatch(request, response)
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
  const lfs = new Map<string, Buffer>()
  let lfsWords: string | null = null
  const broughtToLfs: (string | undefined)[] = []
  const files = createServer({ key, cert: certificate }, (request, response) => {
    broughtToLfs.push(request.headers.authorization)
    const content = lfs.get(request.url?.slice(1) ?? '')
    response.writeHead(content === undefined ? 404 : 200).end(content)
  })
  async function answerBatch(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (lfsWords !== null)
      return void response.writeHead(403, { 'content-type': 'application/vnd.git-lfs+json' }).end(JSON.stringify({ message: lfsWords }))
    const { objects } = batchShape.parse(await json(request))
    const answers = objects.map(({ oid, size }) =>
      lfs.has(oid)
        ? { oid, size, authenticated: true, actions: { download: { href: `https://localhost:${portOf(files)}/${oid}` } } }
        : { oid, size, error: { code: 404, message: 'Object does not exist on the server' } },
    )
    response.writeHead(200, { 'content-type': 'application/vnd.git-lfs+json' }).end(JSON.stringify({ transfer: 'basic', objects: answers }))
  }
  for (const one of [server, files]) await new Promise<void>((done) => one.listen(0, '127.0.0.1', done))
  const url = new URL(`https://localhost:${portOf(server)}/shop.git`)
  url.username = login.user
  url.password = encodeURIComponent(login.password)
  return {
    url: url.href,
    calls,
    lfs,
    broughtToLfs,
    refuseLfsWith: (text) => void (lfsWords = text),
    refuseWith: (text) => void (words = text),
    async trustIn(clone) {
      await mkdir(clone, { recursive: true, mode: 0o700 })
      await git(clone, ['init', '--quiet', '--bare', '--initial-branch=main', '.'])
      await writeFile(join(clone, 'test-host.pem'), certificate)
      await git(clone, ['config', 'http.sslCAInfo', join(clone, 'test-host.pem')])
    },
    async close() {
      for (const one of [server, files]) {
        one.closeAllConnections()
        await new Promise((done) => one.close(done))
      }
    },
  }
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const batchShape = z.object({ objects: z.array(z.object({ oid: z.string(), size: z.number() })) })
