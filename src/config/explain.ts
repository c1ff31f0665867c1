import { closest, distance } from 'fastest-levenshtein'
import { z } from 'zod'
import { exampleFor } from './examples.ts'
import type { ConfigProblem } from './problem.ts'
import { configSchema } from './schema.ts'
import { presetTools } from './tool.ts'

/** Keys that are planned but do nothing yet; accepting them in silence would promise something that is not kept. */
export const notYetAvailable: readonly string[] = [
  'watch',
  'rollback',
  'classes.additive.rehearsal',
  'classes.transformative.rehearsal',
  'classes.breaking.rehearsal',
  'database.replicas',
  'backup.keep.daily',
  'backup.keep.weekly',
  'backup.keep.monthly',
]

/** Values that are planned for keys that exist. */
const laterValues: Readonly<Record<string, readonly string[]>> = {
  onFailure: ['stop'],
  provider: ['rds', 'neon', 'command', 's3'],
}

const NOT_YET = { problem: 'is not available yet', fix: 'Remove it for now; this version would not act on it.' } as const

export function problemsOf(issue: z.core.$ZodIssue): ConfigProblem[] {
  const path = pathText(issue.path)
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...issue.path, key]))
  if (issue.code === 'invalid_union') return problemsOfUnion(issue)
  if (issue.code === 'invalid_type' && issue.input === undefined)
    return [{ path, problem: 'is missing', fix: `Add it: ${exampleFor(issue.path)}` }]
  if (issue.code === 'invalid_value' && laterValues[String(issue.path.at(-1))]?.includes(String(issue.input)) === true)
    return [{ path, ...NOT_YET }]
  if (issue.code === 'invalid_key') {
    const [inner] = issue.issues
    return [{ path, problem: inner?.message ?? 'is not a name that can stand here', fix: 'Write another name.' }]
  }
  return [{ path, problem: problemText(issue), fix: `For example: ${exampleFor(issue.path)}` }]
}

/** Of what may be a word or a group of keys: all words together, and of the groups the one that was begun. */
function problemsOfUnion(issue: z.core.$ZodIssueInvalidUnion): ConfigProblem[] {
  const { input } = issue
  const words = issue.errors.flatMap(([first]) =>
    first?.code === 'invalid_value' && first.path.length === 0 ? first.values.map(String) : [],
  )
  if (words.length > 0 && input !== undefined && (typeof input !== 'object' || input === null || Array.isArray(input))) {
    const near = typeof input === 'string' ? closest(input.toLowerCase(), words) : ''
    const isNear = near !== '' && typeof input === 'string' && isLike(input.toLowerCase(), near)
    return [
      {
        path: pathText(issue.path),
        problem: `${JSON.stringify(input)} is none of ${words.join(', ')}`,
        fix: isNear ? `Did you mean "${near}"?` : `For example: ${exampleFor(issue.path)}`,
      },
    ]
  }
  const atRoot = (branch: readonly z.core.$ZodIssue[], isKey: boolean) =>
    branch.some(({ path, code }) => path.length === 0 && (code === 'unrecognized_keys') === isKey)
  const [closestBranch = []] = issue.errors.toSorted(
    (a, b) =>
      Number(atRoot(a, false)) - Number(atRoot(b, false)) || Number(atRoot(a, true)) - Number(atRoot(b, true)) || a.length - b.length,
  )
  // which keys are missing is not known while another one stands in their place
  const odd = words.length > 0 ? closestBranch.filter(({ path, code }) => path.length === 0 && code === 'unrecognized_keys') : []
  return (odd.length > 0 ? odd : closestBranch).flatMap((inner) => problemsOf({ ...inner, path: [...issue.path, ...inner.path] }))
}

/** zod's own words where they are ours, and plainer ones for what it says by itself. */
function problemText(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_value':
      return `must be ${issue.values.map(String).join(' or ')}`
    case 'invalid_type':
      return `must be ${nouns[issue.expected] ?? issue.expected}`
    case 'too_small':
      return issue.origin === 'array' || issue.origin === 'string' ? 'is empty' : `must be at least ${issue.minimum}`
    case 'too_big':
      return issue.origin === 'string' ? `is longer than ${issue.maximum} characters` : `must be at most ${issue.maximum}`
    case 'invalid_format':
      return issue.format === 'url' ? 'is not a URL' : issue.message
    default:
      return issue.message
  }
}

const nouns: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of keys',
  record: 'a group of names',
}

function unknownKey(path: readonly PropertyKey[]): ConfigProblem {
  const key = String(path.at(-1))
  const text = pathText(path)
  const inTarget = path[0] === 'targets' ? path.slice(2).map(String).join('.') : ''
  if (notYetAvailable.includes(inTarget)) return { path: text, ...NOT_YET }
  return { path: text, problem: `"${key}" is not a known key here`, fix: fixOfKey(key, path) }
}

function fixOfKey(key: string, path: readonly PropertyKey[]): string {
  const near = closest(key, knownKeys)
  if (path.at(-2) === 'tool' && path.length === 4) {
    if (presetTools.includes(key)) return `It takes no keys of its own. Write tool: ${key}`
    if (near === key) return 'A target has one tool. Leave one of them.'
    if (!isLike(key, near)) return 'A tool of another name is written as tool: { command: { … } }, see docs/other-tools.md.'
  }
  if (near === key) return 'It is a key of another place, see docs/configuration.md.'
  return isLike(key, near) ? `Did you mean "${near}"?` : 'Remove it, or see the list of keys in docs/configuration.md.'
}

const isLike = (written: string, known: string): boolean => distance(written, known) <= Math.max(2, written.length / 3)

const pathText = (path: readonly PropertyKey[]) => (path.length === 0 ? '(file)' : path.map(String).join('.'))

/** All key names of the file, from its own schema. */
const knownKeys = keysOf(z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }))

function keysOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  const own =
    'properties' in schema && typeof schema.properties === 'object' && schema.properties !== null ? Object.keys(schema.properties) : []
  return [...new Set([...own, ...Object.values(schema).flatMap(keysOf)])]
}
