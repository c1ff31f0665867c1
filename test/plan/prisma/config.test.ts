import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readConfig } from '../../../src/plan/prisma/config.ts'
import { readSchema } from '../../../src/plan/prisma/schema.ts'
import { chooseConfig, whyLedElsewhere, type Leads } from '../../../src/plan/prisma/unfit.ts'
import { version } from '../../../src/plan/prisma/version.ts'

const variable = (name: string, fallback: 'none' | 'literal' = 'none') => ({ kind: 'variable', variable: name, fallback })

describe('the address in a configuration, from its text', () => {
  test.each([
    [`env('SHOP_URL')`, variable('SHOP_URL')],
    [`env<Env>("SHOP_URL")`, variable('SHOP_URL')],
    [`process.env.SHOP_URL`, variable('SHOP_URL')],
    [`process.env['SHOP_URL']`, variable('SHOP_URL')],
    [`process.env.SHOP_URL!`, variable('SHOP_URL')],
    [`process.env.SHOP_URL as string`, variable('SHOP_URL')],
    [`process.env.SHOP_URL ?? ''`, variable('SHOP_URL')],
    [`process.env.SHOP_URL || "postgresql://localhost/shop"`, variable('SHOP_URL', 'literal')],
    [`process.env.SHOP_URL ?? process.env.OTHER_URL`, variable('SHOP_URL', 'literal')],
    [`'postgresql://localhost/shop'`, { kind: 'literal' }],
    ['`postgresql://localhost/shop`', { kind: 'literal' }],
    ['`postgresql://${host}/shop`', { kind: 'unread' }],
    [`addressOf(process.env)`, { kind: 'unread' }],
  ])('url: %s', (value, address) => {
    const config = `import { defineConfig, env } from 'prisma/config'\n// datasource: { url: 'postgresql://comment/shop' }\nexport default defineConfig({ schema: 'a', datasource: { url: ${value}, other: [1, 2] } })\n`
    expect(readConfig(config).addresses).toEqual([{ key: 'url', address }])
  })

  test('through a constant', () => {
    const config = `const url: string = process.env.SHOP_URL ?? 'postgresql://localhost/shop'\nexport default { datasource: { url: url } }`
    expect(readConfig(config).addresses).toEqual([{ key: 'url', address: variable('SHOP_URL', 'literal') }])
  })

  test('all that hold one', () => {
    const config = `export default { datasource: {\n  url: env('A'), // main\n  shadowDatabaseUrl: env('B'),\n} }`
    expect(readConfig(config).addresses).toEqual([
      { key: 'url', address: variable('A') },
      { key: 'shadowDatabaseUrl', address: variable('B') },
    ])
  })

  test.each([
    ['none', `export default { schema: 'a' }`, []],
    ['one that is computed', `export default { datasource }`, null],
    ['one that is merged', `export default { ...base, schema: 'a' }`, null],
    ['one whose parts are merged', `export default { datasource: { ...base } }`, null],
  ])('%s', (_what, config, addresses) => {
    expect(readConfig(config).addresses).toEqual(addresses)
  })

  test('migrations.path and external tables beside it', () => {
    const config = `export default { migrations: { path: "db/migrations", seed: 'tsx a.ts' }, tables: { external: ['public.users', /* 'public.no' */ "auth.sessions"] } }`
    expect(readConfig(config)).toEqual({ addresses: [], migrations: 'db/migrations', externalTables: ['public.users', 'auth.sessions'] })
  })

  test('whatever stands in the file, it is read to its end', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('datasource', 'url', ':', '{', '}', '[', ']', '(', ')', "'", '"', '`', '/', '*', ',', '\\', ' ', '\n'),
        }),
        (text) => void readConfig(text),
      ),
    )
  })
})

const SIX = version(6, 19, 3)
const SEVEN = version(7, 10, 1)
const at = (low: number) => ({ low, high: low })
const leads = (given: { schema?: string; config?: string | null; version?: number; urls?: readonly string[]; path?: string }): Leads => {
  const { schema = '', config = null, path = 'prisma.config.ts', urls = ['DATABASE_URL'] } = given
  const versions = at(given.version ?? SEVEN)
  return {
    schema: { path: 'prisma/schema.prisma', text: `datasource db {\n  provider = "postgresql"\n${schema}}\n` },
    config: chooseConfig(
      '.',
      versions,
      (name) => config !== null && name === path,
      () => config ?? '',
    ),
    versions,
    urls,
    migrations: 'prisma/migrations',
  }
}
const URL_IN_SCHEMA = '  url = env("DATABASE_URL")\n'
const with7 = (value: string) => leads({ config: `export default { datasource: { url: ${value} } }` })

describe('what would lead Prisma elsewhere is refused while planning', () => {
  test.each([
    [
      'a variable that is not named',
      with7(`env('SHOP_URL')`),
      "In `prisma.config.ts` `url` reads `SHOP_URL`, which `tool.prisma.urls` does not name. Every such variable must lead to the target's database: add it to `tool.prisma.urls` in lockkeeper.yaml.",
    ],
    [
      'and an address behind it',
      with7(`process.env.SHOP_URL ?? 'postgresql://localhost/shop'`),
      "In `prisma.config.ts` `url` reads `SHOP_URL`, which `tool.prisma.urls` does not name. Every such variable must lead to the target's database: add it to `tool.prisma.urls` in lockkeeper.yaml. Without it Prisma would take the address that stands behind it.",
    ],
    [
      'the variable of a shadow database, which every command wants',
      leads({ config: `export default { datasource: { url: env('DATABASE_URL'), shadowDatabaseUrl: env('SHADOW_URL') } }` }),
      "In `prisma.config.ts` `shadowDatabaseUrl` reads `SHADOW_URL`, which `tool.prisma.urls` does not name. Every such variable must lead to the target's database: add it to `tool.prisma.urls` in lockkeeper.yaml.",
    ],
    [
      'an address',
      with7(`'postgresql://localhost/shop'`),
      "`url` in `prisma.config.ts` holds an address instead of a variable, so the database could not be chosen from outside. Use env('DATABASE_URL').",
    ],
    [
      'an address in the schema of 7',
      leads({ schema: URL_IN_SCHEMA, config: `export default { datasource: { url: env('DATABASE_URL') } }` }),
      '`url` in `prisma/schema.prisma` is not for this Prisma: from 7 on it takes no address in the schema (P1012). Move it to `datasource` in `prisma.config.ts` and ask again.',
    ],
    [
      'no configuration for 7',
      leads({}),
      "Prisma 7 takes the address of the database from `datasource.url` in `prisma.config.ts`, and this commit has no such file. Add it (`datasource: { url: env('DATABASE_URL') }`), commit and ask again.",
    ],
    [
      'a configuration of 6 for 7',
      leads({ config: `export default { engine: 'js', adapter: async () => new PrismaPg({}) }` }),
      "Prisma 7 takes the address of the database from `datasource.url` in `prisma.config.ts`, and `prisma.config.ts` has none. Add it (`datasource: { url: env('DATABASE_URL') }`), commit and ask again.",
    ],
    [
      'another directory of migrations',
      leads({ config: `export default { migrations: { path: './db/migrations/' }, datasource: { url: env('DATABASE_URL') } }` }),
      '`prisma.config.ts` leads Prisma to the migrations in `db/migrations` (`migrations.path`), and `prisma/migrations` is what Lockkeeper reads. Make `tool.prisma.migrations` in lockkeeper.yaml the same, and ask again.',
    ],
  ])('%s', (_what, given, why) => {
    expect(whyLedElsewhere(given)).toBe(why)
  })

  test.each([
    ['its variable is named, whatever stands behind it', with7(`process.env.DATABASE_URL ?? 'postgresql://localhost/shop'`)],
    ['it is computed: then the run sees where it leads', with7('addressOf(process.env)')],
    [
      'a driver adapter of 6 takes the place of the address',
      leads({
        version: SIX,
        schema: URL_IN_SCHEMA,
        config: `export default { adapter: async () => x, datasource: { url: 'postgresql://x/y' } }`,
      }),
    ],
    [
      '5 knows no configuration',
      leads({ version: version(5, 22), schema: URL_IN_SCHEMA, config: `export default { datasource: { url: 'postgresql://x/y' } }` }),
    ],
    [
      'migrations are where they are read',
      leads({ config: `export default { migrations: { path: 'prisma/migrations' }, datasource: { url: env('DATABASE_URL') } }` }),
    ],
    [
      'paths in .config are relative to it',
      leads({
        path: '.config/prisma.ts',
        config: `export default { migrations: { path: '../prisma/migrations' }, datasource: { url: env('DATABASE_URL') } }`,
      }),
    ],
  ])('not refused: %s', (_what, given) => {
    expect(whyLedElsewhere(given)).toBeNull()
  })
})

describe('of several configurations', () => {
  const chosen = (low: number, ...there: readonly string[]) =>
    chooseConfig(
      'apps/api',
      at(low),
      (path) => there.includes(path),
      () => '',
    )?.path
  const both = ['apps/api/prisma.config.ts', 'apps/api/prisma7.config.ts'] as const

  test('7.10 takes the one that is named for 7, and older ones do not know it', () => {
    expect(chosen(SEVEN, ...both)).toBe('apps/api/prisma7.config.ts')
    expect(chosen(version(7, 9), ...both)).toBe('apps/api/prisma.config.ts')
    expect(chosen(SIX, 'apps/api/prisma7.config.ts')).toBeUndefined()
  })

  test('JavaScript comes before TypeScript, and the application before .config', () => {
    expect(chosen(SEVEN, 'apps/api/prisma.config.ts', 'apps/api/prisma.config.js')).toBe('apps/api/prisma.config.js')
    expect(chosen(SEVEN, 'apps/api/.config/prisma.ts', 'apps/api/prisma.config.ts')).toBe('apps/api/prisma.config.ts')
    expect(chosen(SEVEN, 'apps/api/.config/prisma7.ts', 'apps/api/prisma.config.ts')).toBe('apps/api/.config/prisma7.ts')
  })
})

test('a schema without an address names none', () => {
  expect(readSchema('datasource db {\n  provider = "postgresql"\n}\n')).toMatchObject({
    provider: 'postgresql',
    variables: [],
    literals: [],
  })
})
