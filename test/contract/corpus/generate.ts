import { join } from 'node:path'
import fc from 'fast-check'
import { methodOf, openEngine } from '../../helpers/prisma-versions/engine/engine.ts'
import { installedFrom } from '../../helpers/prisma-versions/installed.ts'
import { pairs, type Pair, type Style } from './schemas.ts'

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
  const found = new Set<string>()
  const differ = async ({ from, to }: Pair) => {
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
  for (const pair of fc.sample(pairs(style), { numRuns: count * 2, seed })) {
    if (found.size === count) break
    const sql = await differ(pair)
    if (!sql.includes('This is an empty migration')) found.add(sql)
  }
  return [...found]
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
