import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { TargetSettings } from '../../config/schema.ts'
import { prismaDialect, type TargetUrl } from '../../database/urls.ts'
import type { MigrationTool, ToolStatus, ToolVersion } from './tool.ts'

/** The Prisma that the application brings (5 to 7), found as Node would find it: beside the application or above it in the checkout. */
export function prismaTool(input: {
  readonly checkout: string
  readonly applicationDirectory: string
  readonly settings: TargetSettings['tool']['prisma']
  readonly url: TargetUrl
}): MigrationTool | null {
  const cli = findCli(input.checkout, input.applicationDirectory)
  if (cli === null) return null
  const schema = ['--schema', input.settings.schema]
  return {
    name: 'Prisma',
    commands: {
      version: [cli, '--version'],
      status: [cli, 'migrate', 'status', ...schema],
      deploy: [cli, 'migrate', 'deploy', ...schema],
      pull: [cli, 'db', 'pull', '--print', ...schema],
      diff: (from, to, major) => {
        const kind = major >= 7 ? 'schema' : 'schema-datamodel'
        return [cli, 'migrate', 'diff', `--from-${kind}`, from, `--to-${kind}`, to, '--exit-code']
      },
      resolve: (migration, as) => [cli, 'migrate', 'resolve', `--${as}`, migration, ...schema],
    },
    readVersion,
    readPulled,
    readStatus,
    readable,
    environment: (session) => ({
      ...input.settings.env,
      CHECKPOINT_DISABLE: '1',
      NO_COLOR: '1',
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      // after the operator's: no setting of his may lead a variable elsewhere
      ...Object.fromEntries(input.settings.urls.map((name) => [name, prismaDialect(input.url, session)])),
    }),
  }
}

function findCli(checkout: string, applicationDirectory: string): string | null {
  for (let at = applicationDirectory; !relative(checkout, at).startsWith('..'); at = dirname(at)) {
    const cli = join(at, 'node_modules', '.bin', 'prisma')
    if (existsSync(cli)) return cli
    if (dirname(at) === at) return null
  }
  return null
}

export function readVersion(output: string): ToolVersion | null {
  const [, version, major, minor] = /^prisma\s*:\s*((\d+)\.(\d+)\.\S+)/m.exec(output) ?? []
  if (version === undefined) return null
  const engine = /^Schema Engine\s*:\s*(.+)$/m.exec(output)?.[1] ?? ''
  const kind = engine.includes('wasm') ? 'wasm' : /schema-engine-cli|^[0-9a-f]{40}|\(at /.test(engine) ? 'native' : 'unknown'
  // native engines from 7.4 on are reported to send a file statement by statement; what is not known is not assumed to be atomic
  const splits = Number(major) > 7 || (Number(major) === 7 && Number(minor) >= 4)
  return { version, major: Number(major), engine: kind, atomic: kind === 'wasm' || !splits }
}

/** A warning about the driver adapter goes to standard output before the schema. */
export function readPulled(output: string): string | null {
  const from = /^(datasource|generator) /m.exec(output)?.index
  return from === undefined ? null : output.slice(from)
}

export function readStatus(output: string): ToolStatus {
  const [, database, schema, host] =
    /^Datasource "[^"]*": PostgreSQL database "([^"]*)"(?:, schema "([^"]*)")?(?:.*? at "([^"]*)")?/m.exec(output) ?? []
  const [, found] = /^(\d+) migrations? found in /m.exec(output) ?? []
  const failed = namesAfter(output, /^Following migrations? have failed:$/m)
  // "The", when the database has rows of files that the application no longer has: a try that was rolled back and its file removed
  const pending = namesAfter(output, /^(?:Following|The) migrations? have not yet been applied:$/m)
  const upToDate = /^(Database schema is up to date!|The migrations? from the database are not found locally in .*:)$/m.test(output)
  return {
    datasource: database === undefined ? null : { database, schema: schema ?? null, host: host ?? null },
    found: found === undefined ? (/^No migration found in /m.test(output) ? 0 : null) : Number(found),
    pending: pending.length > 0 || upToDate ? pending : null,
    failed,
  }
}

/** The lines after a heading up to the first empty one. */
function namesAfter(output: string, heading: RegExp): readonly string[] {
  const match = heading.exec(output)
  if (match === null) return []
  const lines = output.slice(match.index + match[0].length + 1).split(/\r?\n/)
  const end = lines.findIndex((line) => line.trim() === '')
  return lines.slice(0, end === -1 ? undefined : end).map((line) => line.trim())
}

/**
 * Output without what Prisma says each time and nobody asked: where it found its configuration, that it has a driver adapter, versions
 * of parts that are not used. What is left has no empty lines at its ends and no two in a row.
 */
export function readable(output: string): string {
  // a version that could be read is the whole answer, whatever engines that nobody uses say about themselves
  const version = output.match(/^(prisma|Node\.js|Schema Engine)\s*: .+$/gm) ?? []
  if (version.length > 1) return version.join('\n')
  return output
    .split(/\r?\n/)
    .map((line) => line.trimEnd())
    .filter((line) => !noise.some((one) => one.test(line)))
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

const noise: readonly RegExp[] = [
  /^Loaded Prisma config from /,
  /^Prisma config detected, skipping environment variable loading\.$/,
  /^Prisma schema loaded from /,
  /^Environment variables loaded from /,
  /^WARNING: Your schema specifies the following datasource properties but you are using a Driver Adapter/,
  /^- (url|directUrl|shadowDatabaseUrl)$/,
  /^The values from your schema will NOT be used!$/,
  /^We recommend you to remove those properties from your schema to avoid confusion/,
  /^To apply migrations in (development|production) run prisma migrate /,
]
