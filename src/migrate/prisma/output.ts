import type { Datasource, ToolDeploy, ToolStatus, ToolVersion } from './tool.ts'
import { versionOf } from './installed.ts'

/** From 8 on a line of JSON. */
export const readVersion = (output: string): ToolVersion | null =>
  versionOf(/^prisma\s*:\s*(\S+)$/m.exec(output)?.[1] ?? /"commandId":"version".{0,200}?"version":"([^"]+)"/.exec(output)?.[1] ?? '')

/** A warning about the driver adapter goes to standard output before the schema. */
export function readPulled(output: string): string | null {
  const from = /^(\/\/|datasource |generator |model |enum |type |view )/m.exec(output)?.index
  return from === undefined ? null : output.slice(from)
}

export function readStatus(output: string): ToolStatus {
  const [, found] = /^(\d+) migrations? found in /m.exec(output) ?? []
  const failed = namesAfter(output, /^Following migrations? have failed:$/m)
  // "The", when the database has rows of files that the application no longer has: a try that was rolled back and its file removed
  const pending = namesAfter(output, /^(?:Following|The) migrations? have not yet been applied:$/m)
  const upToDate = /^(Database schema is up to date!|The migrations? from the database are not found locally in .*:)$/m.test(output)
  return {
    datasource: readDatasource(output),
    found: found === undefined ? (/^No migration found in /m.test(output) ? 0 : null) : Number(found),
    pending: pending.length > 0 || upToDate ? pending : null,
    failed,
  }
}

export const readDeploy = (output: string): ToolDeploy => ({
  datasource: readDatasource(output),
  complete: /^(All migrations have been successfully applied|No pending migrations to apply)\.$/m.test(output),
})

function readDatasource(output: string): Datasource | null {
  const [, database, schema, rest = ''] =
    /^Datasource "[^"]*": PostgreSQL database "([^"]*)"(?:, schema "([^"]*)")?(.*)$/m.exec(output) ?? []
  if (database === undefined) return null
  return { database, schema: schema ?? null, host: / at "([^"]*)"/.exec(rest)?.[1] ?? null, adapter: / using driver adapter "/.test(rest) }
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
