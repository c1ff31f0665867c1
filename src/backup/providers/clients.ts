import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { captureChild } from '../../process/capture.ts'
import { childEnvironment, operatorPath } from '../../process/environment.ts'
import type { Redactor } from '../../redact/redact.ts'
import { refuse, type Refusal } from '../../lib/refusal.ts'

/** pg_dump and pg_restore of one installation. */
export type Clients = {
  readonly pgDump: string
  readonly pgRestore: string
  /** As they print it: `15.18`, `9.6.1`, `18beta2`. */
  readonly version: string
  readonly major: number
  /** `zstd` from major 16 on, when the build has it. */
  readonly compression: 'gzip' | 'zstd'
}

export type ClientSearch = {
  /** `backup.clients`; when it is set nothing else is looked at. */
  readonly directory: string | undefined
  /** The server's major version: pg_dump refuses servers newer than itself. */
  readonly serverMajor: number
  readonly env: Readonly<Record<string, string | undefined>>
  readonly redactor: Redactor
  readonly platform?: NodeJS.Platform
  /** Where distributions put PostgreSQL, one directory a major version below it. */
  readonly installations?: readonly string[]
}

/** The first pair that can dump the server: the configured directory alone, else PATH, else the newest installation. */
export async function findClients(search: ClientSearch): Promise<Clients | Refusal> {
  const env = childEnvironment(search.env, operatorPath(search.env['PATH']), { LC_ALL: 'C' })
  const found: { readonly directory: string; readonly version: string; readonly major: number }[] = []
  for (const directory of directories(search)) {
    const version = await versionOf(join(directory, 'pg_dump'), env, search.redactor)
    if (version === undefined || !existsSync(join(directory, 'pg_restore'))) continue
    found.push({ directory, ...version })
    if (version.major >= search.serverMajor) break
  }
  const fit = found.find(({ major }) => major >= search.serverMajor)
  if (fit === undefined) return found[0] === undefined ? missing(search) : tooOld(search, found[0])
  const pgDump = join(fit.directory, 'pg_dump')
  const compression = fit.major >= 16 && (await hasZstd(pgDump, env, search.redactor)) ? 'zstd' : 'gzip'
  return { pgDump, pgRestore: join(fit.directory, 'pg_restore'), version: fit.version, major: fit.major, compression }
}

/** `15` of `15.18`, `18` of `18beta2`, `9.6` (a major version of its own then) of `9.6.1`. */
export function majorOf(version: string): number {
  const [first = '0', second = '0'] = version.split('.')
  const major = Number.parseInt(first, 10)
  return major >= 10 ? major : major + Number.parseInt(second, 10) / 10
}

/** The command that puts fitting clients on this machine. */
export function installCommand(serverMajor: number, platform: NodeJS.Platform = process.platform): string {
  return platform === 'darwin' ? `brew install postgresql@${serverMajor}` : `apt-get install postgresql-client-${serverMajor}`
}

const DEBIAN_INSTALLATIONS = ['/usr/lib/postgresql']

function directories(search: ClientSearch): readonly string[] {
  if (search.directory !== undefined) return [search.directory]
  const path = operatorPath(search.env['PATH'])
    .split(':')
    .filter((directory) => existsSync(join(directory, 'pg_dump')) && !isDebianWrapper(join(directory, 'pg_dump')))
  return [...path, ...(search.installations ?? DEBIAN_INSTALLATIONS).flatMap(newestFirst), ...HOMEBREW]
}

/** Debian's /usr/bin/pg_dump is a script that chooses a version by the local clusters; the real ones are below /usr/lib/postgresql. */
const isDebianWrapper = (file: string): boolean => realpathSync(file).endsWith('/pg_wrapper')

const HOMEBREW = ['/opt/homebrew/opt/libpq/bin', '/usr/local/opt/libpq/bin']

function newestFirst(root: string): readonly string[] {
  if (!existsSync(root)) return []
  return readdirSync(root)
    .filter((name) => /^\d/.test(name))
    .sort((a, b) => Number.parseFloat(b) - Number.parseFloat(a))
    .map((name) => join(root, name, 'bin'))
}

async function versionOf(file: string, env: Record<string, string>, redactor: Redactor) {
  if (!existsSync(file)) return undefined
  const answer = await captureChild({ argv: [file, '--version'], cwd: '/', env, timeoutMs: 10_000, redactor })
  const version = /\(PostgreSQL\) (\d+[\w.]*)/.exec(answer.stdout.toString('utf8'))?.[1]
  return version === undefined ? undefined : { version, major: majorOf(version) }
}

/** A build without zstd says so before it connects; one that has it gets as far as the socket directory, which does not exist. */
async function hasZstd(pgDump: string, env: Record<string, string>, redactor: Redactor): Promise<boolean> {
  const argv = [pgDump, '--format=custom', '--compress=zstd:1', '--file=/dev/null', '--host=/nonexistent', '--no-password']
  const answer = await captureChild({ argv, cwd: '/', env, timeoutMs: 10_000, redactor })
  return answer.ended === 'exited' && /nonexistent/.test(answer.stderr) && !/compress/i.test(answer.stderr)
}

function missing(search: ClientSearch): Refusal {
  const command = installCommand(search.serverMajor, search.platform)
  return refuse(
    'clients_missing',
    search.directory === undefined
      ? `pg_dump and pg_restore were not found on this machine. Install them with \`${command}\`, or name their directory as \`backup.clients\`.`
      : `There is no working pg_dump and pg_restore in ${search.directory} (\`backup.clients\`). Correct the directory, or install them with \`${command}\`.`,
  )
}

const tooOld = (search: ClientSearch, found: { readonly directory: string; readonly version: string }): Refusal =>
  refuse(
    'clients_too_old',
    `pg_dump ${found.version} in ${found.directory} cannot dump a PostgreSQL ${search.serverMajor} server, since it is older. ` +
      `Install it with \`${installCommand(search.serverMajor, search.platform)}\`${search.directory === undefined ? '' : ' and correct `backup.clients`'}.`,
  )
