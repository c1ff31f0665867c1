import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PrismaVersion } from './installed.ts'

const root = join(import.meta.dirname, '../../..')

/** Of 6, whose driver adapter decides it: as the sample shop has it, or one that works in the schema that the URL names, as engines of their own do. */
export type Config = 'shop' | 'inSchema'

const SEVEN = 'test/helpers/prisma-versions/7/prisma.config.ts'
const CONFIGS: Readonly<Record<PrismaVersion, Readonly<Record<Config, string>> | null>> = {
  '5.22.0': null,
  '6.19.3': { shop: 'examples/shop/prisma.config.ts', inSchema: 'test/plan/application/prisma.config.ts' },
  '7.10.1': { shop: SEVEN, inSchema: SEVEN },
}

/** From 7 on the schema names no address. */
export const urlLine = (version: PrismaVersion): string => (version === '7.10.1' ? '' : '  url      = env("DATABASE_URL")\n')

/** What an application of this version has beside its migrations. */
export function versionFiles(version: PrismaVersion, config: Config): Readonly<Record<string, string>> {
  const configuration = CONFIGS[version]?.[config]
  return {
    'package.json': JSON.stringify({ name: 'application', private: true, type: 'module', devDependencies: { prisma: version } }),
    'prisma/schema.prisma': `datasource db {\n  provider = "postgresql"\n${urlLine(version)}}\n`,
    'prisma/migrations/migration_lock.toml': 'provider = "postgresql"\n',
    ...(configuration === undefined ? {} : { 'prisma.config.ts': readFileSync(join(root, configuration), 'utf8') }),
  }
}
