import { z } from 'zod'
import { argv } from './keys/basics.ts'

/** `tool` of a target: what brings the migrations to the database, and where the repository has them. */

const shared = {
  urls: z
    .array(z.string().regex(/^[A-Z_][A-Z0-9_]*$/, 'must be the name of a variable such as DATABASE_URL'))
    .min(1)
    .default(['DATABASE_URL'])
    .describe('Every variable from which the application reads the URL of the database'),
  env: z.record(z.string(), z.string()).default({}),
}

const prisma = z.strictObject({
  schema: z.string().default('prisma/schema.prisma'),
  migrations: z.string().default('prisma/migrations'),
  ...shared,
})

const sql = z.strictObject({
  directory: z.string().default('migrations').describe('Numbered files: 001_create_orders.sql'),
  baseline: z
    .string()
    .min(1)
    .optional()
    .describe('The last file that a database without a record has already; it and all before it count as applied there'),
  ...shared,
})

const command = z.strictObject({
  name: z.string().min(1).max(40).describe('As people call it'),
  directory: z.string().default('migrations'),
  files: z
    .array(z.string().regex(/^\.[a-z]+$/, 'must be an ending such as .sql'))
    .min(1)
    .default(['.sql'])
    .describe('Which files of the directory are migrations'),
  applied: z
    .string()
    .min(1)
    .describe(
      'A query that gives what is applied, oldest first: one column: a name (the file without its ending), its number, or the SHA-256 of the file',
    ),
  run: argv.describe('Applies everything that is pending'),
  undone: z.boolean().default(false).describe('Whether what it could not finish is undone as a whole; otherwise a person looks'),
  ...shared,
})

/** Tools whose record and command are known. */
const KNOWN = {
  'node-pg-migrate': {
    name: 'node-pg-migrate',
    files: ['.js', '.cjs', '.mjs', '.ts', '.sql'],
    applied: 'select name from public.pgmigrations order by run_on, id',
    run: ['node_modules/.bin/node-pg-migrate', 'up'],
    undone: true,
  },
  drizzle: {
    name: 'Drizzle Kit',
    directory: 'drizzle',
    files: ['.sql'],
    applied: 'select hash from drizzle.__drizzle_migrations order by created_at, id',
    run: ['node_modules/.bin/drizzle-kit', 'migrate'],
    undone: true,
  },
} satisfies Record<string, z.input<typeof command>>

/** Those that stand as a word alone and take no settings. */
export const presetTools: readonly string[] = Object.keys(KNOWN)

export const toolSchema = z.union([
  z.literal('prisma').transform(() => ({ prisma: prisma.parse({}) })),
  z.literal('sql').transform(() => ({ sql: sql.parse({}) })),
  z.enum(Object.keys(KNOWN) as (keyof typeof KNOWN)[]).transform((name) => ({ command: command.parse(KNOWN[name]) })),
  // the key is required: else a mistake in one of them would be told as one of another
  z.strictObject({ prisma }),
  z.strictObject({ sql }),
  z.strictObject({ command }),
])

export type ToolSettings = z.output<typeof toolSchema>
export type PrismaSettings = z.output<typeof prisma>
export type CommandToolSettings = z.output<typeof command>

/** Of a target whose application brings Prisma; throws for others, whose code has another way. */
export function prismaOf(tool: ToolSettings): PrismaSettings {
  if ('prisma' in tool) return tool.prisma
  throw new Error(`${toolName(tool)} was asked for what only Prisma has`)
}

export const isPrisma = (tool: ToolSettings): boolean => 'prisma' in tool

/** As people call it, in a sentence. */
export const toolName = (tool: ToolSettings): string => ('prisma' in tool ? 'Prisma' : 'sql' in tool ? 'Lockkeeper' : tool.command.name)

/** What each tool has: the variables that hold the URL, and others of its environment. */
export const toolEnvironment = (
  tool: ToolSettings,
): { readonly urls: readonly string[]; readonly env: Readonly<Record<string, string>> } =>
  'prisma' in tool ? tool.prisma : 'sql' in tool ? tool.sql : tool.command

/** Relative to the application's directory, without a slash at its end. */
export const migrationsDirectory = (tool: ToolSettings): string =>
  ('prisma' in tool ? tool.prisma.migrations : 'sql' in tool ? tool.sql.directory : tool.command.directory).replace(/(?<=.)\/+$/, '')
