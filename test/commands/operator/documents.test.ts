import { notYetAvailable } from '../../../src/config/explain.ts'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { jsonSchemaText } from '../../../src/config/json-schema.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { ROOT } from './lockkeeper.ts'

type Schema = {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly required?: readonly string[]
  readonly default?: unknown
}

test('docs/configuration.md lists every key of the schema, and no other, with its default', async () => {
  const text = await readFile(join(ROOT, 'docs/configuration.md'), 'utf8')
  const rows = [...text.matchAll(/^\| `([^`]+)` +\| (.+?) +\| (.+?) +\|.*\|$/gm)].map(([, key = '', , value = '']) => [key, value] as const)
  const documented = new Map(rows)
  const known = leaves(JSON.parse(jsonSchemaText()) as Schema) // written by this repository
  expect([...documented.keys()].toSorted()).toEqual([...known.keys()].toSorted())
  const defaults = [...known].filter(([, expected]) => expected !== undefined)
  expect(defaults.map(([key]) => [key, documented.get(key)])).toEqual(defaults)
})

test('docs/configuration.md names everything that is refused until it works', async () => {
  const text = await readFile(join(ROOT, 'docs/configuration.md'), 'utf8')
  const planned = text.slice(text.indexOf('## Planned'))
  for (const key of notYetAvailable) expect(planned).toContain(`\`${key}\``)
})

test('every example is a configuration that can be used', async () => {
  const directory = join(ROOT, 'examples')
  const names = (await readdir(directory)).filter((name) => name.endsWith('.yaml'))
  expect(names.toSorted()).toEqual([
    'docker-compose.lockkeeper.yaml',
    'monorepo.lockkeeper.yaml',
    'plain-sql.lockkeeper.yaml',
    'pm2-one-server.lockkeeper.yaml',
    'systemd.lockkeeper.yaml',
  ])
  const url = 'postgresql://app:secret@db.example:5432/app'
  const env = { PROD_DATABASE_URL: url, STAGING_DATABASE_URL: url, PROD_BACKUP_URL: url, STORE_URL: url, DEPLOY_TOKEN: 'token' }
  for (const name of names) {
    // a secret in a file exists on the operator's machine alone
    const problems = problemsOf(join(directory, name), env).filter((line) => !line.includes('/run/secrets/prod-database-url'))
    expect([name, problems]).toEqual([name, []])
  }
})

test.each(['README.md', 'docs/operations.md', 'docs/configuration.md', 'docs/other-tools.md'])(
  'every file that %s links to exists',
  async (name) => {
    const text = await readFile(join(ROOT, name), 'utf8')
    const links = [...text.matchAll(/(?<!!\[[^\]]*)\]\(([^)#:]+)(#[^)]*)?\)/g)].map(([, link = '']) => link)
    for (const link of links) expect([link, existsSync(join(ROOT, name, '..', link))]).toEqual([link, true])
  },
)

function problemsOf(file: string, env: Readonly<Record<string, string>>): readonly string[] {
  try {
    loadConfig(file, env)
    return []
  } catch (error) {
    const { problems } = error as { readonly problems: readonly { readonly path: string; readonly problem: string }[] }
    return problems.map(({ path, problem }) => `${path}: ${problem}`)
  }
}

/** Keys without keys of their own; the default as it is written in the table, undefined where the table says it in words. */
function leaves(schema: Schema, path = '', isRequired = false): Map<string, string | undefined> {
  const parts = Object.entries(schema.properties ?? {}).map(
    ([key, part]) => [path === '' ? key : `${path}.${key}`, part, schema.required?.includes(key) === true] as const,
  )
  const named: Schema | undefined = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
  if (named?.properties !== undefined) parts.push([`${path}.<name>`, named, false])
  else if (path === 'people') parts.push(['people.<account>', {}, false])
  if (schema.items?.properties !== undefined) parts.push([`${path}[]`, schema.items, false])
  // alternatives with keys of their own: all of them are keys
  for (const choice of schema.items?.anyOf ?? []) if (choice.properties !== undefined) parts.push([`${path}[]`, choice, false])
  const choices = (schema.anyOf ?? []).filter((choice) => choice.properties !== undefined)
  if (choices.length > 0) return new Map(choices.flatMap((choice) => [...leaves(choice, path)]))
  if (parts.length === 0) return new Map([[path, isRequired ? 'required' : written(schema.default)]])
  return new Map(parts.flatMap(([at, part, required]) => [...leaves(part, at, required)]))
}

function written(value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (Array.isArray(value)) return value.length === 0 ? '`[]`' : `\`[${value.join(', ')}]\``
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}
