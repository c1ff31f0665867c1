import { beforeAll, describe, expect, test } from 'vitest'
import { diagnose } from '../../../src/migrate/diagnoses/diagnosis.ts'
import type { PrismaVersion } from '../../helpers/prisma-versions/installed.ts'
import { urlLine, versionFiles } from '../../helpers/prisma-versions/files.ts'
import { hear, type Heard } from './heard.ts'
import { IN_USE, prepareReal } from './sides.ts'

beforeAll(prepareReal, 600_000)

const heardOf = (version: PrismaVersion, { name: title }: { readonly name: string }, work: (heard: Heard) => Promise<unknown>) =>
  hear(version, { topic: 'config', title }, work)

const ONE = { name: '1_a', sql: 'create table a (id int primary key);\n' }
const migration = (heard: Heard) => heard.write(`prisma/migrations/${ONE.name}/migration.sql`, ONE.sql)
const config = (datasource: string, more = '') =>
  `import { defineConfig, env } from 'prisma/config'\nexport default defineConfig({ schema: 'prisma/schema.prisma', ${more}datasource: { ${datasource} } })\n`
const applied = (heard: Heard, expected: readonly string[]) =>
  heard.left(async ({ rows }) => (await rows('select migration_name as name from _prisma_migrations')).map(({ name }) => name), expected)

/** The code of the diagnosis, and what comes next. */
const told = (output: string): readonly string[] => {
  const timeouts = { lockTimeoutMs: 1_000, statementTimeoutMs: 1_000 }
  const context = { migration: null, target: 'Production', database: 'shop', host: '127.0.0.1', port: 5432, role: 'shop', ...timeouts }
  const { code, headline, next } = diagnose({ output, context })
  return [code, headline, next]
}

describe.concurrent('the configuration of 7.10.1', { timeout: 110_000 }, () => {
  const version = '7.10.1'

  test('a variable that is not set ends every command, that for the version too, and is named', ({ task }) =>
    heardOf(version, task, async (heard) => {
      await migration(heard)
      await heard.write('prisma.config.ts', config("url: env('SHOP_URL')"))
      for (const args of ['--version', 'migrate status', 'migrate deploy']) {
        const { exitCode, output } = await heard.prisma(args)
        expect(exitCode).toBe(1)
        expect(told(output)).toEqual([
          'variable_missing',
          'Prisma asks for the variable `SHOP_URL`, which this run does not give it, so nothing was started.',
          'Add `SHOP_URL` to `tool.prisma.urls` when it holds the address of the database, to `tool.prisma.env` otherwise. Then ask again.',
        ])
      }
    }))

  test('the address may stand in any variable', ({ task }) =>
    heardOf(version, task, async (heard) => {
      await migration(heard)
      await heard.write('prisma.config.ts', config("url: process.env['SHOP_URL'] ?? 'postgresql://nowhere.invalid/none'"))
      heard.env['SHOP_URL'] = heard.url
      delete heard.env['DATABASE_URL']
      expect((await heard.prisma('migrate deploy')).exitCode).toBe(0)
      await applied(heard, [ONE.name])
    }))

  test('the variable of a shadow database is wanted by deploy too, and may lead to the same database', ({ task }) =>
    heardOf(version, task, async (heard) => {
      await migration(heard)
      await heard.write('prisma.config.ts', config("url: env('DATABASE_URL'), shadowDatabaseUrl: env('SHADOW_URL')"))
      const { exitCode, output } = await heard.prisma('migrate deploy')
      expect(exitCode).toBe(1)
      expect(told(output)[0]).toBe('variable_missing')
      heard.env['SHADOW_URL'] = heard.url
      expect((await heard.prisma('migrate deploy')).exitCode).toBe(0)
      expect((await heard.prisma('migrate status')).exitCode).toBe(0)
      expect((await heard.prisma('migrate diff --from-config-datasource --to-schema prisma/schema.prisma --exit-code')).exitCode).toBe(2)
      await applied(heard, [ONE.name])
    }))

  test('that is named for 7 leads, beside one for 8', ({ task }) =>
    heardOf(version, task, async (heard) => {
      await migration(heard)
      await heard.write('prisma.config.ts', "throw new Error('this one is for 8')\n")
      await heard.write('prisma7.config.ts', config("url: env('DATABASE_URL')"))
      const { exitCode, output } = await heard.prisma('migrate deploy')
      expect(exitCode).toBe(0)
      expect(output).toContain('Loaded Prisma config from prisma7.config.ts.')
      await applied(heard, [ONE.name])
    }))

  test('without an address, or without the file, ends and says so', ({ task }) =>
    heardOf(version, task, async (heard) => {
      await migration(heard)
      await heard.write('prisma.config.ts', config("url: process.env['SHOP_URL']"))
      const { exitCode, output } = await heard.prisma('migrate deploy')
      expect(exitCode).toBe(1)
      expect(told(output)[0]).toBe('no_url')
    }))

  test('with an address in the schema ends and says where it belongs', ({ task }) =>
    heardOf(version, task, async (heard) => {
      await migration(heard)
      await heard.write('prisma/schema.prisma', `datasource db {\n  provider = "postgresql"\n${urlLine('6.19.3')}}\n`)
      const { exitCode, output } = await heard.prisma('migrate deploy')
      expect(exitCode).toBe(1)
      expect(told(output)[0]).toBe('schema_invalid')
    }))

  test('that throws ends every command, and its words are told', ({ task }) =>
    heardOf(version, task, async (heard) => {
      await migration(heard)
      await heard.write('prisma.config.ts', "throw new Error('no network here')\n")
      const { exitCode, output } = await heard.prisma('migrate deploy')
      expect(exitCode).toBe(1)
      expect(told(output)).toEqual([
        'config_unreadable',
        "Prisma could not load the application's configuration, so nothing was started.",
        'Correct it in the repository (or the packages that it imports), then ask again.',
      ])
      expect(output).toContain('no network here')
    }))
})

describe.concurrent.each(IN_USE)('of an application with Prisma $version', { timeout: 110_000 }, ({ version }) => {
  test('a deploy generates no client and seeds nothing', ({ task }) =>
    heardOf(version, task, async (heard) => {
      await migration(heard)
      const generator = 'generator client {\n  provider = "prisma-client-js"\n  output   = "../generated"\n}\n'
      await heard.write(
        'prisma/schema.prisma',
        `${generator}datasource db {\n  provider = "postgresql"\n${urlLine(version)}}\nmodel a {\n  id Int @id\n}\n`,
      )
      if (version === '7.10.1')
        await heard.write('prisma.config.ts', config("url: env('DATABASE_URL')", "migrations: { seed: 'touch seeded' }, "))
      else await heard.write('package.json', JSON.stringify({ name: 'application', private: true, prisma: { seed: 'touch seeded' } }))
      expect((await heard.prisma('migrate deploy')).exitCode).toBe(0)
      await applied(heard, [ONE.name])
      await heard.left(async ({ has }) => ['generated', 'seeded'].filter(has), [])
    }))

  test('an .env file beside it is read by 5 alone, which is why a run keeps such files out', ({ task }) =>
    heardOf(version, task, async (heard) => {
      await migration(heard)
      const { 'prisma.config.ts': own } = versionFiles(version, 'inSchema')
      if (own !== undefined) await heard.write('prisma.config.ts', own.replace('localhost/postgres', 'unset.invalid/none'))
      await heard.write('.env', 'DATABASE_URL=postgresql://nowhere.invalid/none\n')
      delete heard.env['DATABASE_URL']
      const { exitCode, output } = await heard.prisma('migrate status')
      expect(exitCode).toBe(1)
      expect(output.includes('nowhere.invalid')).toBe(version === '5.22.0')
    }))
})
