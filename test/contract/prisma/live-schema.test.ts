import { beforeAll, describe, expect, test } from 'vitest'
import { compareLive, type Drift } from '../../../src/migrate/prisma/drift.ts'
import { readPulled } from '../../../src/migrate/prisma/output.ts'
import { prismaCommands } from '../../../src/migrate/prisma/prisma.ts'
import { urlLine, versionFiles } from '../../helpers/prisma-versions/files.ts'
import type { PrismaVersion } from '../../helpers/prisma-versions/installed.ts'
import { hear, type Heard } from './heard.ts'
import { IN_USE, prepareReal } from './sides.ts'

beforeAll(prepareReal, 600_000)

const session = { applicationName: 'test', lockTimeoutMs: 1_000, statementTimeoutMs: 1_000 }

/** As the run does after a migration. */
async function compare(heard: Heard, schema = 'prisma/schema.prisma', inTwoStarts = heard.version === '6.19.3'): Promise<Drift> {
  return compareLive({
    workspace: {
      tool: { commands: prismaCommands('prisma', schema), readPulled },
      ask: async ([, ...args]) => heard.prisma(args.join(' ')),
    },
    cwd: heard.directory,
    session,
    schema,
    directory: heard.directory,
    major: Number(heard.version.split('.')[0]),
    adapter: inTwoStarts,
  })
}

const ORDERS =
  'model orders {\n  id     Int          @id\n  total  Int          @default(0)\n  status order_status @default(open)\n}\nenum order_status {\n  open\n  paid\n}\n'
const CUSTOMERS = 'model customers {\n  id    Int     @id\n  email String? @unique\n}\n'
const TABLES = `create type order_status as enum ('open', 'paid');
create table orders (id int primary key, total int not null default 0 check (total >= 0), status order_status not null default 'open');
create table customers (id int primary key, email text); create unique index customers_email_key on customers (email);`

const datasource = (version: PrismaVersion) => `datasource db {\n  provider = "postgresql"\n${urlLine(version)}}\n`
const preview = (...features: readonly string[]) =>
  `generator client {\n  provider        = "prisma-client-js"\n  previewFeatures = [${features.map((one) => `"${one}"`).join(', ')}]\n}\n`

const REMARK = { kind: 'differs', summary: '[*] Changed the `orders` table\n  [-] Removed column `remark`' }

type Titled = { readonly name: string }
type Work = (heard: Heard) => Promise<unknown>

const heardWithTables = (version: PrismaVersion, title: string, work: Work) =>
  hear(version, { topic: 'live-schema', title }, async (heard) => {
    await heard.sql(TABLES)
    await work(heard)
  })

describe.concurrent.each(IN_USE)('of a live schema that is compared by Prisma $version', { timeout: 110_000 }, ({ version }) => {
  const WAYS = version === '6.19.3' ? [true] : [false, true]
  const compared = ({ name: title }: Titled, work: Work) => heardWithTables(version, title, work)

  // proves drift: 5.22.0, 6.19.3, 7.10.1
  test('nothing differs, and then a column and an index do', ({ task }) =>
    compared(task, async (heard) => {
      await heard.write('prisma/schema.prisma', datasource(version) + ORDERS + CUSTOMERS)
      expect(await compare(heard)).toEqual({ kind: 'same' })
      await heard.sql('alter table orders add column remark text; drop index customers_email_key')
      expect(await compare(heard)).toEqual({
        kind: 'differs',
        summary:
          '[*] Changed the `customers` table\n  [+] Added unique index on columns (email)\n\n[*] Changed the `orders` table\n  [-] Removed column `remark`',
      })
    }))

  // proves drift: 5.22.0, 6.19.3, 7.10.1
  test('several files, the datasource in the last, are read as a whole', ({ task }) =>
    compared(task, async (heard) => {
      const folder = version === '5.22.0' ? preview('prismaSchemaFolder') : ''
      await heard.write('prisma/parts/a.prisma', ORDERS)
      await heard.write('prisma/parts/b/customers.prisma', CUSTOMERS)
      await heard.write('prisma/parts/z.prisma', folder + datasource(version))
      for (const inTwoStarts of WAYS) expect(await compare(heard, 'prisma/parts', inTwoStarts)).toEqual({ kind: 'same' })
      await heard.sql('alter table orders add column remark text')
      for (const inTwoStarts of WAYS) expect(await compare(heard, 'prisma/parts', inTwoStarts)).toEqual(REMARK)
    }))

  test('printed and then compared with the file, where one start does not compare', ({ task }) =>
    compared(task, async (heard) => {
      await heard.write('prisma/schema.prisma', datasource(version) + ORDERS + CUSTOMERS)
      expect(await compare(heard, 'prisma/schema.prisma', true)).toEqual({ kind: 'same' })
      await heard.sql('alter table orders add column remark text')
      expect(await compare(heard, 'prisma/schema.prisma', true)).toEqual(REMARK)
    }))

  test('a view that the schema describes is no difference', ({ task }) =>
    compared(task, async (heard) => {
      await heard.sql('create view totals as select id, total from orders')
      const view = 'view totals {\n  id    Int?\n  total Int?\n\n  @@ignore\n}\n'
      await heard.write('prisma/schema.prisma', preview('views') + datasource(version) + ORDERS + CUSTOMERS + view)
      for (const inTwoStarts of WAYS) expect(await compare(heard, 'prisma/schema.prisma', inTwoStarts)).toEqual({ kind: 'same' })
      await heard.sql('alter table orders add column remark text')
      for (const inTwoStarts of WAYS) expect(await compare(heard, 'prisma/schema.prisma', inTwoStarts)).toEqual(REMARK)
    }))
})

const SINCE_6 = IN_USE.filter(({ version }) => version !== '5.22.0')

describe.concurrent.each(SINCE_6)('a table that the configuration of $version calls external', { timeout: 110_000 }, ({ version }) => {
  async function writeExternal(heard: Heard): Promise<void> {
    const { 'prisma.config.ts': config = '' } = versionFiles(version, 'inSchema')
    const tables = "tables: { external: ['public.sessions'] },"
    await heard.write(
      'prisma.config.ts',
      version === '7.10.1'
        ? config.replace('schema:', `experimental: { externalTables: true },\n  ${tables}\n  schema:`)
        : config.replace('adapter: true },', `adapter: true, externalTables: true },\n  ${tables}`),
    )
    await heard.sql('create table sessions (id int primary key)')
  }

  test('is no difference of the live schema', ({ task }) =>
    heardWithTables(version, task.name, async (heard) => {
      await writeExternal(heard)
      await heard.write('prisma/schema.prisma', datasource(version) + ORDERS + CUSTOMERS)
      expect(await compare(heard)).toEqual({ kind: 'same' })
    }))

  test('does not make a database one that is not new', ({ task }) =>
    hear(version, { topic: 'live-schema', title: task.name }, async (heard) => {
      await writeExternal(heard)
      await heard.write('prisma/migrations/1_a/migration.sql', 'create table a (id int primary key);\n')
      expect((await heard.prisma('migrate deploy')).exitCode).toBe(0)
    }))
})
