import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { captureChild, type Captured } from '../../src/process/capture.ts'
import { endProcess } from '../../src/process/detached.ts'
import { childEnvironment, operatorPath } from '../../src/process/environment.ts'
import { isAlive } from '../../src/process/process-id.ts'
import { createRedactor, secretsOfUrl } from '../../src/redact/redact.ts'
import { git } from './repository.ts'

/** A running shop: a clone of the repository in which PM2 keeps `server.mjs` up. */
export type LiveShop = {
  /** PM2's name for it. */
  readonly name: string
  readonly directory: string
  readonly port: number
  readonly databaseUrl: string
}

/** A clone of the repository at a commit, with linked dependencies; one that is there already is left as it is. */
export async function makeLiveDirectory(options: {
  readonly repository: string
  readonly directory: string
  readonly commit: string
  readonly modules: string
}): Promise<void> {
  const { repository, directory, commit, modules } = options
  if (await readFile(join(directory, '.git/HEAD')).catch(() => null)) return
  await mkdir(directory, { recursive: true })
  await git(directory, ['clone', '--quiet', repository, '.'])
  await git(directory, ['checkout', '--quiet', '--detach', commit])
  await symlink(modules, join(directory, 'node_modules'))
}

export type Pm2 = {
  /** Starts all shops, or lets those go on that run. */
  readonly start: (shops: readonly LiveShop[]) => Promise<void>
  readonly run: (args: readonly string[]) => Promise<Captured>
  /** Ends PM2 and everything that it runs. */
  readonly end: () => Promise<void>
}

/**
 * The real PM2 of this repository with a home of its own, so that no other PM2 of this user is touched. Writes `pm2` into `bin`, a command
 * that always means this one. The path of `home` must be short: sockets below it may have about 100 characters.
 */
export async function pm2In(options: { readonly home: string; readonly bin: string }): Promise<Pm2> {
  const { home, bin } = options
  const script = join(createRequire(import.meta.url).resolve('pm2/package.json'), '../bin/pm2')
  await Promise.all([mkdir(home, { recursive: true }), mkdir(bin, { recursive: true })])
  const command = join(bin, 'pm2')
  await writeFile(command, `#!/bin/sh\nPM2_HOME=${quoted(home)} exec ${quoted(process.execPath)} ${quoted(script)} "$@"\n`)
  await chmod(command, 0o755)
  const run = (args: readonly string[], secrets: Readonly<Record<string, string>> = {}) =>
    captureChild({
      argv: [command, ...args],
      cwd: home,
      env: childEnvironment(process.env, operatorPath(process.env.PATH), { NO_COLOR: '1', ...secrets }),
      redactor: createRedactor(Object.values(secrets).flatMap(secretsOfUrl)),
      timeoutMs: 60_000,
    })
  return {
    run,
    async start(shops) {
      const variables = Object.fromEntries(shops.map((shop, index) => [`SHOP_URL_${index}`, shop.databaseUrl]))
      const ecosystem = join(home, 'shops.config.cjs')
      await writeFile(ecosystem, ecosystemOf(shops))
      const end = await run(['start', ecosystem], variables)
      if (end.exitCode !== 0) throw new Error(`pm2 could not start the sample shops:\n${end.stdout.toString('utf8')}${end.stderr}`)
    },
    async end() {
      const daemon = Number(await readFile(join(home, 'pm2.pid'), 'utf8').catch(() => 'NaN'))
      if (!Number.isInteger(daemon) || !isAlive({ pid: daemon, startedAt: 'unknown' })) return
      await run(['kill'])
      endProcess({ pid: daemon, startedAt: 'unknown' }, 'SIGKILL')
    },
  }
}

/** Whether a shop answers, and from which commit. */
export async function healthOf(port: number): Promise<{ readonly version: string; readonly migrations: number } | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(2_000) })
    return response.ok ? ((await response.json()) as { version: string; migrations: number }) : null
  } catch {
    return null // nobody listens, or not yet
  }
}

/** A port that is free now; `wanted` when it is. */
export function freePort(wanted = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' && wanted !== 0 ? resolve(freePort()) : reject(error),
    )
    server.listen(wanted, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

/** Each shop by its own ecosystem file; the URLs come from the environment, so that none stands in a file. */
const ecosystemOf = (shops: readonly LiveShop[]) => `const shop = (directory, name, port, url) => {
  const [app] = require(directory + '/ecosystem.config.cjs').apps
  return { ...app, name, cwd: directory, env: { PORT: port, DATABASE_URL: url } }
}
module.exports = {
  apps: [
${shops.map((shop, index) => `    shop(${JSON.stringify(shop.directory)}, ${JSON.stringify(shop.name)}, ${shop.port}, process.env.SHOP_URL_${index}),`).join('\n')}
  ],
}
`

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
