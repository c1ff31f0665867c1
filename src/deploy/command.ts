import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Target } from '../config/config.ts'
import { isReference } from '../config/keys/basics.ts'
import type { CommandSettings } from '../config/schema.ts'
import type { Child } from '../process/child.ts'
import { childEnvironment, operatorPath } from '../process/environment.ts'
import { toolEnvironment } from '../config/tool.ts'

/** What stands for `{commit}`, `{previousCommit}` and `{checkout}`, and in the LOCKKEEPER_ variables. */
export type StepValues = {
  readonly target: string
  readonly run: number
  readonly commit: string
  /** Null when nothing says which commit is live. */
  readonly previousCommit: string | null
  readonly checkout: string
}

type Prepared = Required<Pick<Child, 'argv' | 'cwd' | 'env' | 'timeoutMs' | 'shell'>>

/** A configured step as a child: placeholders replaced, the operator's PATH, and database URLs only when it says `database: true`. */
export function stepChild(options: {
  readonly settings: CommandSettings
  readonly target: Target
  readonly values: StepValues
  /** Where it runs when it names no directory. */
  readonly applicationDirectory: string
  /** The directory of the configuration file, where relative paths start. */
  readonly home: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly secret: (reference: string) => string
}): Prepared {
  const { settings, target, values, env, secret } = options
  const replaced = settings.run.map((part) => replacePlaceholders(part, values, settings.shell))
  const urls = settings.database
    ? Object.fromEntries(toolEnvironment(target.tool).urls.map((name) => [name, secret(target.database.url)]))
    : {}
  const own = Object.fromEntries(Object.entries(settings.env).map(([name, value]) => [name, isReference(value) ? secret(value) : value]))
  return {
    argv: settings.shell ? [replaced.join(' ')] : replaced,
    cwd:
      settings.cwd === undefined ? options.applicationDirectory : resolve(options.home, replacePlaceholders(settings.cwd, values, false)),
    // what the operator wrote beside the step may pass whatever its name; nothing else of that kind does
    env: childEnvironment(
      env,
      applicationPath(target, env),
      { ...toolEnvironment(target.tool).env, ...variablesOf(values), ...urls, ...own },
      Object.keys(own),
    ),
    timeoutMs: settings.timeout,
    shell: settings.shell,
  }
}

/** The PATH of the application's commands: the configured one, or the operator's without ours. */
export const applicationPath = (target: Pick<Target, 'source'>, env: Readonly<Record<string, string | undefined>>): string =>
  target.source.path ?? operatorPath(env['PATH'])

/** Whether a step cannot run without knowing which commit is live. */
export const needsPreviousCommit = (settings: Pick<CommandSettings, 'run' | 'cwd'>): boolean =>
  [...settings.run, settings.cwd ?? ''].some((part) => part.includes('{previousCommit}'))

export const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )

function replacePlaceholders(part: string, values: StepValues, shell: boolean): string {
  const known: Readonly<Record<string, string>> = {
    commit: values.commit,
    previousCommit: values.previousCommit ?? '',
    checkout: shell ? `'${values.checkout.replaceAll("'", `'\\''`)}'` : values.checkout,
  }
  return part.replace(/\{(commit|previousCommit|checkout)\}/g, (_, name: string) => known[name] ?? '')
}

const variablesOf = (values: StepValues): Record<string, string> => ({
  LOCKKEEPER_TARGET: values.target,
  LOCKKEEPER_RUN: String(values.run),
  LOCKKEEPER_COMMIT: values.commit,
  LOCKKEEPER_CHECKOUT: values.checkout,
  ...(values.previousCommit === null ? {} : { LOCKKEEPER_PREVIOUS_COMMIT: values.previousCommit }),
})
