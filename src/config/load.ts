import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { closest, distance } from 'fastest-levenshtein'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { secretsOfRepository } from '../redact.ts'
import type { Config, Target } from './config.ts'
import { configSchema, isReference, type ConfigFile } from './schema.ts'

/** One thing wrong with the configuration: where, what, and how to mend it. */
export type ConfigProblem = { readonly path: string; readonly problem: string; readonly fix: string }

/** Everything that is wrong, at once. The process ends with code 78 (EX_CONFIG) and starts nothing. */
export class ConfigFault extends Error {
  readonly problems: readonly ConfigProblem[]
  constructor(file: string, problems: readonly ConfigProblem[]) {
    super(`${file} cannot be used:\n${problems.map(({ path, problem, fix }) => `  ${path}: ${problem}\n    ${fix}`).join('\n')}`)
    this.name = 'ConfigFault'
    this.problems = problems
  }
}

export const EX_CONFIG = 78

/** Keys that are planned but do nothing yet; accepting them in silence would promise something that is not kept. */
export const notYetAvailable: readonly string[] = [
  'windows',
  'after',
  'watch',
  'rollback',
  'database.replicas',
  'backup.keep.daily',
  'backup.keep.weekly',
  'backup.keep.monthly',
  'approvals.escalate',
]

/** Values that are planned for keys that exist. */
const laterValues: Readonly<Record<string, readonly string[]>> = {
  order: ['app-first'],
  onFailure: ['stop'],
  provider: ['rds', 'neon', 'command', 's3'],
}

const NOT_YET = { problem: 'is not available yet', fix: 'Remove it for now; this version would not act on it.' } as const

/** Reads, checks and resolves the configuration; throws ConfigFault with all problems. Secrets are checked for presence, not kept. */
export function loadConfig(path: string, env: Readonly<Record<string, string | undefined>>): Config {
  const file = resolve(path)
  const text = readText(file)
  const parsed = parseYaml(file, text)
  const result = configSchema.safeParse(parsed, { reportInput: true })
  const problems = result.success ? [] : result.error.issues.flatMap((issue) => problemsOf(issue))
  if (!result.success) throw new ConfigFault(path, problems)
  const config = toConfig(result.data, file, env)
  const more = [...problemsOfMeaning(config), ...problemsOfSecrets(config, env)]
  if (more.length > 0) throw new ConfigFault(path, more)
  return config
}

/** Every value that a reference in the file points at, for the redactor, and the logins of repositories that stand in the file itself. */
export function secretsOf(config: Config): string[] {
  const logins = [...config.targets.values()].flatMap(({ source }) => secretsOfRepository(source.repository))
  return [...referencesOf(config.file).map(({ reference }) => config.secret(reference)), ...logins]
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    throw new ConfigFault(file, [
      {
        path: '(file)',
        problem: missing ? 'does not exist' : `cannot be read: ${(cause as Error).message}`,
        fix: missing ? 'Run `lockkeeper init` to write one, or name another with --config.' : 'Give this user the right to read it.',
      },
    ])
  }
}

function parseYaml(file: string, text: string): unknown {
  const document = parseDocument(text, { prettyErrors: true })
  if (document.errors.length > 0)
    throw new ConfigFault(
      file,
      document.errors.map((error) => ({
        path: `line ${error.linePos?.[0].line ?? '?'}`,
        problem: error.message.split('\n')[0] ?? error.message,
        fix: 'Mend the YAML there; indentation is by spaces.',
      })),
    )
  return document.toJS({ maxAliasCount: 20 })
}

function toConfig(file: ConfigFile, path: string, env: Readonly<Record<string, string | undefined>>): Config {
  const home = dirname(path)
  const at = (relative: string) => (isAbsolute(relative) ? relative : join(home, relative))
  const targets = new Map<string, Target>(
    Object.entries(file.targets).map(([name, settings]) => [
      name,
      {
        ...settings,
        name,
        title: settings.label ?? name,
        source: { ...settings.source, repository: repositoryAt(settings.source.repository, at) },
        backup: { ...settings.backup, directory: at(settings.backup.directory) },
      },
    ]),
  )
  return { file, home, varDirectory: join(home, 'var'), targets, secret: (reference) => readSecret(reference, env) }
}

/** A path is relative to the file; a URL or `git@host:path` stays. */
const repositoryAt = (repository: string, at: (path: string) => string) =>
  /^([a-z+]+:\/\/|[^/]+@[^/]+:)/.test(repository) ? repository : at(repository)

function readSecret(reference: string, env: Readonly<Record<string, string | undefined>>): string {
  const value = reference.startsWith('env:') ? env[reference.slice(4)] : readFileSync(reference.slice(5), 'utf8').trim()
  if (value === undefined || value === '') throw new Error(`${reference} is empty`)
  return value
}

function problemsOfSecrets(config: Config, env: Readonly<Record<string, string | undefined>>): ConfigProblem[] {
  return referencesOf(config.file).flatMap(({ path, reference }) => {
    try {
      config.secret(reference)
      return []
    } catch {
      const name = reference.slice(reference.indexOf(':') + 1)
      return reference.startsWith('env:')
        ? [
            {
              path,
              problem: `the environment variable ${name} is ${env[name] === undefined ? 'not set' : 'empty'}`,
              fix: `Set ${name} where Lockkeeper is started.`,
            },
          ]
        : [
            {
              path,
              problem: `the file ${name} is missing, empty or unreadable`,
              fix: 'Write the secret into it, readable by this user alone (mode 0600).',
            },
          ]
    }
  })
}

function problemsOfMeaning(config: Config): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  if (config.targets.size === 0)
    problems.push({ path: 'targets', problem: 'no target is configured', fix: 'Name at least one, for example prod.' })
  for (const target of config.targets.values()) {
    const path = `targets.${target.name}`
    if (!isTimeZone(target.timezone))
      problems.push({
        path: `${path}.timezone`,
        problem: `"${target.timezone}" is not a time zone`,
        fix: `Did you mean ${closest(target.timezone, Intl.supportedValuesOf('timeZone'))}?`,
      })
    const named = target.approvals.from.filter((one) => one.startsWith('user:'))
    if (named.length === target.approvals.from.length && target.approvals.required > named.length)
      problems.push({
        path: `${path}.approvals`,
        problem: `${target.approvals.required} approvals are required but only ${named.length} people are named`,
        fix: 'Name more people or a group, or require fewer. The requester never counts.',
      })
  }
  return problems
}

function referencesOf(file: ConfigFile): { readonly path: string; readonly reference: string }[] {
  const found: { path: string; reference: string }[] = []
  if (file.store.url !== undefined) found.push({ path: 'store.url', reference: file.store.url })
  for (const [name, target] of Object.entries(file.targets)) {
    found.push({ path: `targets.${name}.database.url`, reference: target.database.url })
    if (target.backup.url !== undefined) found.push({ path: `targets.${name}.backup.url`, reference: target.backup.url })
    for (const phase of ['prepare', 'deploy'] as const)
      for (const [index, step] of target[phase].entries())
        for (const [variable, value] of Object.entries(step.env))
          if (isReference(value)) found.push({ path: `targets.${name}.${phase}.${index}.env.${variable}`, reference: value })
  }
  return found
}

function problemsOf(issue: z.core.$ZodIssue): ConfigProblem[] {
  const path = pathText(issue.path)
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...issue.path, key]))
  if (issue.code === 'invalid_union') {
    const closestBranch = issue.errors.toSorted((a, b) => a.length - b.length)[0] ?? []
    return closestBranch.flatMap((inner) => problemsOf({ ...inner, path: [...issue.path, ...inner.path] }))
  }
  if (issue.code === 'invalid_type' && issue.input === undefined)
    return [{ path, problem: 'is missing', fix: `Add it: ${exampleFor(issue.path)}` }]
  if (issue.code === 'invalid_value' && laterValues[String(issue.path.at(-1))]?.includes(String(issue.input)) === true)
    return [{ path, ...NOT_YET }]
  return [{ path, problem: issue.message, fix: `For example: ${exampleFor(issue.path)}` }]
}

function unknownKey(path: readonly PropertyKey[]): ConfigProblem {
  const key = String(path.at(-1))
  const text = pathText(path)
  const inTarget = path[0] === 'targets' ? path.slice(2).map(String).join('.') : ''
  if (notYetAvailable.includes(inTarget) || key === 'oncall') return { path: text, ...NOT_YET }
  const near = closest(key, knownKeys)
  return {
    path: text,
    problem: `"${key}" is not a known key here`,
    fix:
      distance(key, near) <= Math.max(2, key.length / 3)
        ? `Did you mean "${near}"?`
        : 'Remove it, or see the list of keys in docs/configuration.md.',
  }
}

const pathText = (path: readonly PropertyKey[]) => (path.length === 0 ? '(file)' : path.map(String).join('.'))

const examples: Readonly<Record<string, string>> = {
  channel: 'channel: C0123456789',
  repository: 'repository: git@github.com:example/shop.git',
  source: 'source: { repository: git@github.com:example/shop.git, branch: main }',
  url: 'url: env:PROD_DATABASE_URL',
  database: 'database: { url: env:PROD_DATABASE_URL }',
  tool: 'tool: prisma',
  approvals: 'approvals: { required: 1, from: [group:S0123456789] }',
  from: 'from: [group:S0123456789, user:U0123456789]',
  targets: 'targets: { prod: { … } }',
  run: 'run: [npm, run, build]',
  timeout: 'timeout: 10m',
  lockTimeout: 'lockTimeout: 2s',
  statementTimeout: 'statementTimeout: 15m',
  expires: 'expires: 4h',
  grantExpires: 'grantExpires: 15m',
  within: 'within: 60s',
  http: 'http: https://shop.example/health',
  required: 'required: 1',
}

const exampleFor = (path: readonly PropertyKey[]) => {
  const key = path.findLast((part) => typeof part === 'string' && part in examples)
  return typeof key === 'string' ? (examples[key] ?? '') : 'see docs/configuration.md'
}

/** All key names of the file, from its own schema. */
const knownKeys = keysOf(z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }))

function keysOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  const own =
    'properties' in schema && typeof schema.properties === 'object' && schema.properties !== null ? Object.keys(schema.properties) : []
  return [...new Set([...own, ...Object.values(schema).flatMap(keysOf)])]
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false // RangeError: there is no such zone
  }
}
