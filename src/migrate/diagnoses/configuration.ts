import { code } from '../../lib/text/code.ts'
import type { Entry } from './entry.ts'

/** What Prisma says about its schema and its configuration, before it has reached a database. */
export const configurationDiagnoses: readonly Entry[] = [
  {
    code: 'variable_missing',
    matches: ({ output, prismaCode }) => variableIn(output) !== null && (prismaCode === null || prismaCode === 'P1012'),
    explain: ({ output }) => ({
      headline: `Prisma asks for the variable ${code(variableIn(output) ?? '')}, which this run does not give it, so nothing was started.`,
      why: 'The schema or `prisma.config.ts` reads it, and Prisma gets no variable that the configuration does not name.',
      next: `Add ${code(variableIn(output) ?? '')} to \`tool.prisma.urls\` when it holds the address of the database, to \`tool.prisma.env\` otherwise. Then ask again.`,
    }),
  },
  {
    code: 'no_url',
    matches: ({ output }) => /^Error: The datasource\.url property is required in your Prisma config file/m.test(output),
    explain: () => ({
      headline: "Prisma found no address of a database in the application's configuration, so nothing was started.",
      why: 'From version 7 on the address stands in `prisma.config.ts` (`datasource.url`), and there the file is missing or the variable that it reads is not set.',
      next: 'Set `datasource.url` in `prisma.config.ts`, and name the variable that it reads in `tool.prisma.urls`. Then ask again.',
    }),
  },
  {
    code: 'config_unreadable',
    matches: ({ output }) => /^(?:Error: )?Failed to (?:load|parse) config file/m.test(output),
    explain: ({ output }) => ({
      headline: `Prisma could not load ${configIn(output)}, so nothing was started.`,
      why: 'The file runs before every command of Prisma and failed. What it said stands below.',
      next: 'Correct it in the repository (or the packages that it imports), then ask again.',
    }),
  },
  {
    code: 'schema_invalid',
    matches: ({ prismaCode }) => prismaCode === 'P1012',
    explain: ({ output }) => ({
      headline: 'Prisma does not accept the schema, so nothing was started.',
      why: /no longer supported in schema files/.test(output)
        ? 'This version of Prisma wants the address of the database in `prisma.config.ts` (`datasource.url`) and not in the schema.'
        : 'There is a mistake in it, or it is written for another version of Prisma than the application brings. What Prisma said stands below.',
      next: 'Correct it until `npx prisma validate` is content, then ask again.',
    }),
  },
  {
    code: 'url_unusable',
    matches: ({ prismaCode }) => prismaCode === 'P1013',
    explain: () => ({
      headline: 'Prisma cannot read the address of the database, so nothing was started.',
      why: 'The URL has a form or a parameter that Prisma does not take.',
      next: 'Correct the secret that `database.url` refers to (characters such as # / ? @ in a password are percent-encoded), then ask again.',
    }),
  },
  {
    code: 'option_removed',
    matches: ({ output }) => /^(?:Error: |! )?.{0,80}\bwas removed\. Please use\b/m.test(output),
    explain: () => ({
      headline: 'The Prisma of the application no longer takes a command of this product, so nothing was started.',
      why: 'Its version has other options than those that this product knows.',
      next: 'Pin a version from 5 to 7 in the application, or update this product. Then ask again.',
    }),
  },
]

/** 7 names the directory alone when the file itself throws. */
function configIn(output: string): string {
  const name = /config file "(?:[^"]*\/)?([^"/]*config[^"/]*\.\w+)"/.exec(output)?.[1]
  return name === undefined ? "the application's configuration" : code(name)
}

/** In a schema; in a configuration, from 7 on and before. */
const variableIn = (output: string): string | null =>
  /(?:Environment variable not found|Cannot resolve environment variable|Missing required environment variable): ([A-Za-z_]\w*)/.exec(
    output,
  )?.[1] ?? null
