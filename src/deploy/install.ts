import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Target } from '../config/config.ts'
import { captureChild } from '../process/capture.ts'
import type { Child } from '../process/child.ts'
import { childEnvironment } from '../process/environment.ts'
import type { Redactor } from '../redact/redact.ts'
import { applicationPath } from './command.ts'
import { keepModules, lockFileOf, modulesKey, takeModules } from './modules.ts'
import { toolEnvironment } from '../config/tool.ts'

/** What the run provides: how a command runs, and who watches it. */
export type InstallOptions<End> = {
  readonly target: Target
  readonly checkout: string
  readonly applicationDirectory: string
  /** `var/modules`. */
  readonly cache: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly redactor: Redactor
  readonly run: (child: Required<Pick<Child, 'argv' | 'cwd' | 'env' | 'timeoutMs'>>) => Promise<End>
  readonly succeeded: (end: End) => boolean
}

export type Installed<End> =
  | { readonly kind: 'cached' }
  | { readonly kind: 'installed'; readonly end: End }
  | { readonly kind: 'failed'; readonly end: End; readonly lockFile: string | null }
  | { readonly kind: 'no-node' }
  /** No package.json, and a tool that needs none. */
  | { readonly kind: 'nothing' }

/**
 * Puts the dependencies into a checkout: from the cache when the same ones were installed before, otherwise by the configured command,
 * where the lock file is, with no credentials of ours in its environment. A failed command leaves nothing in the cache.
 */
export async function installDependencies<End>(options: InstallOptions<End>): Promise<Installed<End>> {
  const { target, checkout, applicationDirectory, cache } = options
  if ('sql' in target.tool && !existsSync(join(applicationDirectory, 'package.json'))) return { kind: 'nothing' }
  const env = installEnvironment(target, options.env)
  const nodeVersion = await versionOfNode(checkout, env, options.redactor)
  if (nodeVersion === null) return { kind: 'no-node' }
  const lock = await lockFileOf(checkout, applicationDirectory)
  const command = target.source.install
  const schema = 'prisma' in target.tool ? join(applicationDirectory, target.tool.prisma.schema) : null
  const key = lock === null ? null : await modulesKey({ lock: lock.file, schema, nodeVersion, command })
  const directory = lock?.directory ?? applicationDirectory
  if (key !== null && (await takeModules(cache, key, directory))) return { kind: 'cached' }
  const end = await options.run({ argv: command, cwd: directory, env, timeoutMs: target.source.installTimeout })
  if (!options.succeeded(end)) return { kind: 'failed', end, lockFile: lock?.file ?? null }
  if (key !== null) await keepModules(cache, key, directory)
  return { kind: 'installed', end }
}

/** Prisma's packages have install scripts of their own, which read the same settings as the CLI. */
const installEnvironment = (target: Target, env: Readonly<Record<string, string | undefined>>) =>
  childEnvironment(env, applicationPath(target, env), { ...toolEnvironment(target.tool).env, CI: 'true', NO_COLOR: '1' })

async function versionOfNode(cwd: string, env: Readonly<Record<string, string>>, redactor: Redactor): Promise<string | null> {
  const end = await captureChild({ argv: ['node', '--version'], cwd, env, redactor, timeoutMs: 10_000 })
  return end.exitCode === 0 ? end.stdout.toString('utf8').trim() : null
}
