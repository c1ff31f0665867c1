import { join } from 'node:path'
import fc from 'fast-check'
import { methodOf, openEngine } from '../../helpers/prisma-versions/engine/engine.ts'
import { installedFrom } from '../../helpers/prisma-versions/installed.ts'
import { pairs, type Style } from './schemas.ts'

/** Three kinds of applications. The engines are those of Prisma's own CLI: 6.6 behind 5.22, and 7.10. */
export const SETS = {
  shop: { folder: '7', wasm: 'prisma/build/schema_engine_bg.wasm', style: { isMapped: false, hasSchemas: false } },
  older: { folder: '5', wasm: '@prisma/schema-engine-wasm/schema_engine_bg.wasm', style: { isMapped: true, hasSchemas: false } },
  schemas: { folder: '7', wasm: 'prisma/build/schema_engine_bg.wasm', style: { isMapped: true, hasSchemas: true } },
} as const satisfies Readonly<Record<string, { readonly folder: string; readonly wasm: string; readonly style: Style }>>
export type SetName = keyof typeof SETS

/**
 * Migrations as `prisma migrate diff` writes them from one random schema to the next; nothing that changes nothing. `url`: of any database,
 * since the engine asks its server for its version.
 */
export async function generate(set: SetName, count: number, seed: number, url: string): Promise<readonly string[]> {
  const diff = await differ(set, url)
  const found = new Set<string>()
  for (const { from, to } of fc.sample(pairs(SETS[set].style), { numRuns: count * 2, seed })) {
    if (found.size === count) break
    const sql = await diff(from, to)
    if (!sql.includes(EMPTY)) found.add(sql)
  }
  return [...found]
}

/** What makes the first schema, and the migration to the next. */
export type Step = { readonly before: string; readonly sql: string }

export async function generateSteps(set: SetName, count: number, seed: number, url: string): Promise<readonly Step[]> {
  const diff = await differ(set, url)
  const steps: Step[] = []
  for (const { from, to } of fc.sample(pairs(SETS[set].style), { numRuns: count, seed }))
    steps.push({ before: await diff('', from), sql: await diff(from, to) })
  return steps.filter(({ before, sql }) => !before.includes(EMPTY) && !sql.includes(EMPTY))
}

const EMPTY = 'This is an empty migration'

async function differ(set: SetName, url: string): Promise<(from: string, to: string) => Promise<string>> {
  const { folder, wasm, style } = SETS[set]
  const side = (models: string) => ({
    tag: 'schemaDatamodel',
    files: [{ path: 'schema.prisma', content: `${head(folder, style)}\n${models}` }],
  })
  const open = async () => {
    const modules = join(await installedFrom(join(import.meta.dirname, '../../helpers/prisma-versions', folder)), 'node_modules')
    Object.assign(globalThis, { schemaEngine: { modules, wasm: join(modules, wasm) } })
    return openEngine(['--datasource', JSON.stringify({ url })], { from: side('') })
  }
  const opened = engines.get(folder) ?? open()
  engines.set(folder, opened)
  const diff = methodOf(await opened, 'diff')
  return async (from, to) => {
    const answer = (await diff({
      from: side(from),
      to: side(to),
      script: true,
      exitCode: false,
      shadowDatabaseUrl: null,
      filters: { externalTables: [], externalEnums: [] },
    })) as { readonly stdout?: string }
    return answer.stdout ?? ''
  }
}

/** By folder: what is around an engine is there once in a process, and a second engine would be mistaken for the first. */
const engines = new Map<string, ReturnType<typeof openEngine>>()

const head = (folder: string, { hasSchemas }: Style): string =>
  [
    ...(folder === '7' ? [] : ['generator client {', '  provider = "prisma-client-js"', '  previewFeatures = ["multiSchema"]', '}']),
    'datasource db {',
    '  provider = "postgresql"',
    ...(folder === '7' ? [] : ['  url = "postgresql://nobody@localhost/nothing"']),
    ...(hasSchemas ? ['  schemas = ["public", "sales"]'] : []),
    '}',
  ].join('\n')
