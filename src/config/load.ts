import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { parseDocument } from 'yaml'
import type { z } from 'zod'
import { secretsOfRepository } from '../redact/redact.ts'
import { isZone, nearestZone } from '../calendar/zone.ts'
import type { Config, Target } from './config.ts'
import { isReference } from './keys/basics.ts'
import type { ConfigProblem } from './problem.ts'
import { configSchema, targetSchema, type ConfigFile } from './schema.ts'
import { problemsOfAfter, problemsOfClasses } from './class-problems.ts'
import { problemsOfTimes } from './window-problems.ts'
import { problemsOf } from './explain.ts'

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

/** Reads, checks and resolves the configuration; throws ConfigFault with all problems. Secrets are checked for presence, not kept. */
export function loadConfig(path: string, env: Readonly<Record<string, string | undefined>>): Config {
  const file = resolve(path)
  const text = readText(file)
  const parsed = parseYaml(file, text)
  const result = configSchema.safeParse(parsed, { reportInput: true })
  const problems = [
    ...(result.success ? [] : result.error.issues.flatMap((issue) => problemsOf(issue))),
    ...(result.success ? [] : problemsUnderBadNames(parsed, result.error.issues)),
    ...problemsOfMeaning(parsed),
    ...problemsOfAfter(writtenTargets(parsed)),
    ...problemsOfTimes(parsed, writtenTargets(parsed)),
    ...problemsOfSecrets(parsed, env),
  ]
  if (!result.success || problems.length > 0) throw new ConfigFault(path, problems)
  return toConfig(result.data, file, env)
}

/** Every value that a reference in the file points at, for the redactor, and the logins of repositories that stand in the file itself. */
export function secretsOf(config: Config): string[] {
  const logins = [...config.targets.values()].flatMap(({ source }) => secretsOfRepository(source.repository))
  return [...referencesIn(config.file).map(({ reference }) => config.secret(reference)), ...logins]
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

/** Read from the file as written, so that a missing variable is told beside a mistyped key. */
function problemsOfSecrets(parsed: unknown, env: Readonly<Record<string, string | undefined>>): ConfigProblem[] {
  return referencesIn(parsed).flatMap(({ path, reference }) => {
    try {
      readSecret(reference, env)
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

/** What the schema cannot judge, read from the file as written for the same reason. */
function problemsOfMeaning(parsed: unknown): ConfigProblem[] {
  return Object.entries(writtenTargets(parsed)).flatMap(([name, written]) => {
    const { timezone, approvals, breakGlass, isProtected } = partsOf(written)
    const problems: ConfigProblem[] = []
    if (timezone !== undefined && !isZone(timezone))
      problems.push({
        path: `targets.${name}.timezone`,
        problem: `"${timezone}" is not a time zone`,
        fix: nearestZone(timezone),
      })
    if (approvals === undefined) return problems
    const { required, from, breaking } = approvals
    if (required === 0 && isProtected)
      problems.push({
        path: `targets.${name}.approvals.required`,
        problem: 'a protected target needs at least one approval',
        fix: 'Write 1 or more, or `protected: false` where runs may start by themselves.',
      })
    problems.push(...tooFewNamed(`targets.${name}.approvals`, required, from))
    if (breakGlass !== undefined)
      problems.push(...notReviewable(`targets.${name}.breakGlass`, breakGlass.from, breakGlass.review ?? from, peopleIn(parsed)))
    problems.push(...problemsOfClasses(name, written, { required, from, isProtected }, tooFewNamed))
    if (breaking !== undefined)
      problems.push(...tooFewNamed(`targets.${name}.approvals.breaking`, Math.max(required, breaking.required ?? 1), breaking.from ?? from))
    return problems
  })
}

function partsOf(written: unknown) {
  const { timezone, approvals, breakGlass, protected: guarded } = targetSchema.shape
  const parts: { readonly timezone?: unknown; readonly approvals?: unknown; readonly breakGlass?: unknown; readonly protected?: unknown } =
    typeof written === 'object' && written !== null ? written : {}
  return {
    timezone: timezone.safeParse(parts.timezone).data,
    approvals: approvals.safeParse(parts.approvals).data,
    breakGlass: breakGlass.safeParse(parts.breakGlass).data,
    isProtected: guarded.safeParse(parts.protected).data ?? true,
  }
}

/** Whoever breaks the glass never reviews it, with whatever account. Where a group reviews, Slack is asked when it happens. */
function notReviewable(
  path: string,
  from: readonly string[],
  review: readonly string[],
  people: Readonly<Record<string, string>>,
): ConfigProblem[] {
  if (review.some((one) => one.startsWith('group:'))) return []
  const human = (one: string) => {
    const account = one.slice('user:'.length)
    return people[account] ?? account
  }
  const alone = from.find((one) => one.startsWith('user:') && review.every((other) => human(other) === human(one)))
  if (alone === undefined) return []
  return [
    {
      path,
      problem: `nobody but ${alone} could review what ${alone} lets through`,
      fix: 'Name somebody else or a group as `review`: it takes two people, one who breaks the glass and one who looks at it afterwards.',
    },
  ]
}

const peopleIn = (parsed: unknown): Readonly<Record<string, string>> =>
  configSchema.shape.people.safeParse(typeof parsed === 'object' && parsed !== null && 'people' in parsed ? parsed.people : undefined)
    .data ?? {}

/** Members of a group are known to Slack alone; people who are named can be counted here. */
function tooFewNamed(path: string, required: number, from: readonly string[]): ConfigProblem[] {
  const named = new Set(from.filter((one) => one.startsWith('user:')))
  if (from.some((one) => one.startsWith('group:')) || required <= named.size) return []
  return [
    {
      path,
      problem: `${required === 1 ? '1 approval is' : `${required} approvals are`} required but ${named.size === 0 ? 'nobody is' : named.size === 1 ? 'only one person is' : `only ${named.size} people are`} named`,
      fix: 'Name more people or a group, or require fewer. The requester never counts.',
    },
  ]
}

/** Where a reference may stand. */
const REFERENCE_PLACES =
  /^(store\.url|evidence\.key|mail\.url|calendar\.token|oncall\.(webhook|secret)|targets\.[^.]+\.(database|backup)\.url|targets\.[^.]+\.windows\.webhooks\.\d+\.(url|secret)|targets\.[^.]+\.(prepare|deploy|maintenance\.on|maintenance\.off)\.\d+\.env\.[^.]+)$/

function referencesIn(value: unknown, path = ''): { readonly path: string; readonly reference: string }[] {
  if (typeof value === 'string') return REFERENCE_PLACES.test(path) && isReference(value) ? [{ path, reference: value }] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, part]) => referencesIn(part, path === '' ? key : `${path}.${key}`))
}

/** Below a name that is no name zod does not look, but people want to hear everything at once. */
function problemsUnderBadNames(parsed: unknown, issues: readonly z.core.$ZodIssue[]): ConfigProblem[] {
  const written = writtenTargets(parsed)
  return issues.flatMap((issue) => {
    const name = String(issue.path[1])
    if (issue.code !== 'invalid_key' || issue.path[0] !== 'targets') return []
    const read = targetSchema.safeParse(written[name], { reportInput: true })
    return (read.error?.issues ?? []).flatMap((inner) => problemsOf({ ...inner, path: ['targets', name, ...inner.path] }))
  })
}

const writtenTargets = (parsed: unknown): Readonly<Record<string, unknown>> => {
  const targets = typeof parsed === 'object' && parsed !== null && 'targets' in parsed ? parsed.targets : undefined
  return typeof targets === 'object' && targets !== null ? { ...targets } : {}
}
