import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { placed } from './placed.ts'
import { plainSchema } from './schema.ts'
import { VERSIONS, type Version } from './versions.ts'

export type Command =
  | { readonly kind: 'status' }
  | { readonly kind: 'deploy' }
  | { readonly kind: 'pull' }
  /** Of the live database and the schema. */
  | { readonly kind: 'diff-live' }
  | { readonly kind: 'resolve'; readonly as: 'applied' | 'rolled-back'; readonly migration: string }
  | { readonly kind: 'diff'; readonly from: string; readonly to: string }

export type Migration = { readonly name: string; readonly script: string; readonly checksum: string }

export type Situation = {
  readonly command: Command
  readonly version: Version
  readonly url: URL
  /** Of the URL; what the connection does with it depends on the configuration. */
  readonly schema: string
  /** The configuration that leads the search path to the URL's schema, as the native engine does. */
  readonly inSchema: boolean
  /** As Prisma names it: relative to the application's directory. */
  readonly schemaPath: string
  readonly schemaText: string
  /** The name of the datasource. */
  readonly datasource: string
  readonly migrations: readonly Migration[]
}

/** Null for all that this program does not know: another version, configuration, schema, option or variable. */
export function readSituation(args: readonly string[], env: Readonly<Record<string, string | undefined>>, cwd: string): Situation | null {
  const version = VERSIONS[placed().version]
  const read = readCommand(args)
  const inSchema = version === undefined ? null : configIn(cwd, version)
  if (version === undefined || read === null || inSchema === null || !isPlainEnvironment(env)) return null
  if (version.engine === 'adapter' && read.command.kind === 'resolve' && !endsWell(env.PRISMA_SCHEMA_ENGINE_BINARY)) return null
  const url = urlOf(env.DATABASE_URL)
  const schema = schemaIn(cwd, read.schema, version)
  const migrations = migrationsIn(join(cwd, 'prisma/migrations'), version)
  if (url === null || schema === null || migrations === null) return null
  return { ...schema, command: read.command, version, url, schema: url.searchParams.get('schema') ?? 'public', inSchema, migrations }
}

const RESOLVE = ['applied', 'rolled-back'] as const

function readCommand(args: readonly string[]): { readonly command: Command; readonly schema: string } | null {
  const at = args.indexOf('--schema')
  const schema = at === -1 ? 'prisma/schema.prisma' : args[at + 1]
  const [group, verb, ...rest] = at === -1 ? args : args.toSpliced(at, 2)
  if (schema === undefined) return null
  const words = rest.join(' ')
  if (group === 'migrate' && (verb === 'status' || verb === 'deploy') && words === '') return { command: { kind: verb }, schema }
  if (group === 'db' && verb === 'pull' && words === '--print') return { command: { kind: 'pull' }, schema }
  const [option, first, second, to, last] = rest
  const as = RESOLVE.find((one) => option === `--${one}`)
  if (group === 'migrate' && verb === 'resolve' && as !== undefined && first !== undefined && second === undefined)
    return { command: { kind: 'resolve', as, migration: first }, schema }
  const kind = ['schema', 'schema-datamodel'].find((one) => option === `--from-${one}`)
  const isDiff = kind !== undefined && second === `--to-${kind}` && last === '--exit-code'
  if (group === 'migrate' && verb === 'diff' && isDiff && at === -1 && rest.length === 5 && first !== undefined && to !== undefined)
    return { command: { kind: 'diff', from: first, to }, schema: to }
  const live = /^--from-(?:schema-datasource (\S+) --to-schema-datamodel|config-datasource --to-schema) (\S+) --exit-code$/.exec(words)
  if (group === 'migrate' && verb === 'diff' && live !== null && at === -1 && (live[1] ?? live[2]) === live[2])
    return { command: { kind: 'diff-live' }, schema: live[2] ?? '' }
  return null
}

/** Whether the one configuration in the directory is known, and leads to the URL's schema. */
function configIn(cwd: string, { engine, hasUrlInSchema }: Version): boolean | null {
  const found = contentOf(join(cwd, 'prisma.config.ts'))
  const application = contentOf(join(cwd, 'package.json'))
  if (engine === 'program' && hasUrlInSchema)
    return /"prisma"\s*:\s*\{/.test(application ?? '') || existsSync(join(cwd, '.env')) ? null : true
  if (found === null || existsSync(join(cwd, '.config')) || /"prisma"\s*:\s*\{/.test(application ?? '')) return null
  const { shop, inSchema, withEngine } = placed().configs
  const sum = sha256(found)
  if (engine === 'program') return sum === withEngine && !existsSync(join(cwd, 'prisma7.config.ts')) ? true : null
  return sum === shop ? false : sum === inSchema ? true : null
}

/** The variables without which the CLI would look for engines, and none that makes it say more. */
function isPlainEnvironment(env: Readonly<Record<string, string | undefined>>): boolean {
  const { PRISMA_QUERY_ENGINE_LIBRARY: library, PRISMA_SCHEMA_ENGINE_BINARY: engine } = env
  if (library === undefined || engine === undefined || !existsSync(library) || !existsSync(engine)) return false
  return env.DEBUG === undefined && env.FORCE_COLOR === undefined && env.PRISMA_CONFIG === undefined
}

/** `resolve --rolled-back` does start the engine's binary and asks it whether the database can be reached. */
const endsWell = (engine: string | undefined): boolean => engine !== undefined && /^(\/usr)?\/bin\/true$/.test(engine)

function urlOf(text: string | undefined): URL | null {
  if (text === undefined || !URL.canParse(text)) return null
  const url = new URL(text)
  return /^postgres(ql)?:$/.test(url.protocol) && url.pathname.length > 1 ? url : null
}

function schemaIn(
  cwd: string,
  path: string,
  { hasUrlInSchema }: Version,
): Pick<Situation, 'schemaPath' | 'schemaText' | 'datasource'> | null {
  const place = path.startsWith('/') ? path : join(cwd, path)
  const schemaText = statSync(place, { throwIfNoEntry: false })?.isFile() === true ? contentOf(place) : null
  const datasource = schemaText === null ? null : plainSchema(schemaText)
  if (schemaText === null || datasource === null || hasUrlInSchema !== /^\s*url\s*=/m.test(schemaText)) return null
  return { schemaPath: relative(cwd, place), schemaText, datasource }
}

/** In the order in which the CLI applies them. */
function migrationsIn(directory: string, { order }: Version): readonly Migration[] | null {
  const lock = contentOf(join(directory, 'migration_lock.toml'))
  if (lock !== null && !/^\s*provider\s*=\s*"postgresql"\s*$/m.test(lock)) return null
  const migrations: Migration[] = []
  for (const entry of existsSync(directory) ? readdirSync(directory, { withFileTypes: true }) : []) {
    if (!entry.isDirectory()) continue
    const script = contentOf(join(directory, entry.name, 'migration.sql'))
    if (script === null) return null
    migrations.push({ name: entry.name, script, checksum: sha256(script) })
  }
  return migrations.toSorted((a, b) =>
    order === 'by-language' ? a.name.localeCompare(b.name) : Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)),
  )
}

/** Null when there is no such file. Read as the CLI reads it: as text. */
function contentOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
