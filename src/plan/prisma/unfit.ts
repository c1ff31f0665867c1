import { posix } from 'node:path'
import { listed, quoted } from '../../lib/text/quoted.ts'
import { CONFIG_FILES, isForSeven, readConfig, type ConfigFacts } from './config.ts'
import { readSchema } from './schema.ts'
import { version, type PrismaVersions } from './version.ts'

/** What leads Prisma: its schema and its configuration, as texts of the commit. */
export type Leads = {
  readonly schema: { readonly path: string; readonly text: string }
  /** The configuration that Prisma would load; null when there is none. */
  readonly config: { readonly path: string; readonly facts: ConfigFacts; readonly hasAdapter: boolean } | null
  readonly versions: PrismaVersions
  /** Of lockkeeper.yaml. */
  readonly urls: readonly string[]
  readonly migrations: string
}

/** The first that is there of those that this version looks for. */
export function chooseConfig(
  application: string,
  { high }: PrismaVersions,
  has: (path: string) => boolean,
  text: (path: string) => string,
): Leads['config'] {
  const names = CONFIG_FILES.filter((name) => high >= version(7, 10) || !isForSeven(name.split('/').at(-1) ?? ''))
  const path = names.map((name) => posix.join(application, name)).find(has)
  if (path === undefined) return null
  const content = text(path)
  return { path, facts: readConfig(content), hasAdapter: /\badapter\s*[:(]/.test(content) }
}

/** Why Prisma could not run with them, or would go to another database or other files than was approved; mrkdwn, null when it would not. */
export const whyLedElsewhere = (leads: Leads): string | null =>
  ofSchema(leads) ?? ofConfig(leads) ?? withoutAddress(leads) ?? otherMigrations(leads)

function ofSchema({ schema, urls, versions }: Leads): string | null {
  const { provider, variables, literals } = readSchema(schema.text)
  const path = quoted(schema.path)
  if (provider !== null && provider !== 'postgresql' && provider !== 'postgres')
    return `The datasource in ${path} is ${quoted(provider)}, not postgresql. Lockkeeper migrates PostgreSQL only.`
  const named = [...literals, ...variables.map(({ key }) => key)][0]
  if (named !== undefined && versions.low >= version(7))
    return `${quoted(named)} in ${path} is not for this Prisma: from 7 on it takes no address in the schema (P1012). Move it to ${quoted('datasource')} in ${quoted('prisma.config.ts')} and ask again.`
  const literal = literals[0]
  if (literal !== undefined)
    return `${quoted(literal)} in ${path} holds an address instead of a variable, so the database could not be chosen from outside. Use env("DATABASE_URL").`
  return notNamed(schema.path, variables, urls)
}

function ofConfig({ config, versions, urls }: Leads): string | null {
  // until 6 a driver adapter brings its own address, and `datasource` is not read
  if (config === null || versions.high < version(6) || (versions.low < version(7) && config.hasAdapter)) return null
  const addresses = config.facts.addresses ?? []
  const literal = addresses.find(({ address }) => address.kind === 'literal')
  if (literal !== undefined)
    return `${quoted(literal.key)} in ${quoted(config.path)} holds an address instead of a variable, so the database could not be chosen from outside. Use env('DATABASE_URL').`
  const read = addresses.flatMap(({ key, address }) => (address.kind === 'variable' ? [{ key, ...address }] : []))
  const why = notNamed(config.path, read, urls)
  const strays = read.some(({ variable, fallback }) => fallback === 'literal' && !urls.includes(variable))
  return why === null || !strays ? why : `${why} Without it Prisma would take the address that stands behind it.`
}

function notNamed(
  path: string,
  read: readonly { readonly key: string; readonly variable: string }[],
  urls: readonly string[],
): string | null {
  const unset = read.filter(({ variable }) => !urls.includes(variable))
  if (unset.length === 0) return null
  const words = unset.map(({ key, variable }) => `${quoted(key)} reads ${quoted(variable)}`).join(' and ')
  return `In ${quoted(path)} ${words}, which \`tool.prisma.urls\` does not name. Every such variable must lead to the target's database: add it to \`tool.prisma.urls\` in lockkeeper.yaml.`
}

/** What cannot be read from the text may be there. */
function withoutAddress({ config, versions }: Leads): string | null {
  if (versions.low < version(7) || config?.facts.addresses === null) return null
  if (config?.facts.addresses.some(({ key }) => key === 'url') === true) return null
  const where = config === null ? 'this commit has no such file' : `${quoted(config.path)} has none`
  return `Prisma 7 takes the address of the database from \`datasource.url\` in \`prisma.config.ts\`, and ${where}. Add it (\`datasource: { url: env('DATABASE_URL') }\`), commit and ask again.`
}

function otherMigrations({ config, versions, migrations }: Leads): string | null {
  const path = config?.facts.migrations ?? null
  if (config === null || path === null || versions.high < version(6, 6)) return null
  const there = posix.normalize(posix.join(posix.dirname(config.path), path)).replace(/\/$/, '')
  if (there === posix.normalize(migrations)) return null
  return `${quoted(config.path)} leads Prisma to the migrations in ${quoted(there)} (\`migrations.path\`), and ${listed([migrations])} is what Lockkeeper reads. Make \`tool.prisma.migrations\` in lockkeeper.yaml the same, and ask again.`
}
