import { expect, test, vi } from 'vitest'
import { sha256 } from '../../src/plan/files.ts'
import { prepareReal } from '../contract/prisma/sides.ts'
import { isRealAsked } from '../contract/prisma/transcripts.ts'
import { countingNode, type CountingNode } from '../helpers/counting-node.ts'
import { startFlow } from '../helpers/flow.ts'
import { createDatabase } from '../helpers/postgres.ts'
import { versionFiles } from '../helpers/prisma-versions/files.ts'
import { prismaOf } from '../helpers/prisma-versions/modules.ts'
import { linkCommand } from '../helpers/sample.ts'
import { query } from '../helpers/target.ts'
import { createOrigin } from '../plan/application/origin.ts'

/** A whole run starts a dozen real programs; a real CLI may have to be installed first. */
vi.setConfig({ testTimeout: 300_000 })

const SCHEMA = 'prisma/schema.prisma'
const MODEL = 'model orders {\n  id    Int     @id\n  total Int     @default(0)\n  note  String?\n}\n'
const NOTE = 'ALTER TABLE "orders" ADD COLUMN "note" text;\n'
const INIT = 'CREATE TABLE "orders" ("id" int NOT NULL, "total" int NOT NULL DEFAULT 0, CONSTRAINT "orders_pkey" PRIMARY KEY ("id"));\n'

/** In which the first migration was applied a while ago: in an empty one Prisma cannot be seen before it begins, and is asked again. */
async function deployed() {
  const database = await createDatabase()
  await query(
    database.url,
    `${INIT} create table _prisma_migrations (id varchar(36) primary key not null, checksum varchar(64) not null, finished_at timestamptz, migration_name varchar(255) not null,
       logs text, rolled_back_at timestamptz, started_at timestamptz not null default now(), applied_steps_count integer not null default 0);
     insert into _prisma_migrations values ('1', '${sha256(INIT)}', now(), '1_init', null, null, now(), 1)`,
  )
  return database
}

// the one of 6 is in starts.test.ts
// proves deploy: 5.22.0, 7.10.1
// proves drift: 5.22.0, 7.10.1
test.each([
  { version: '5.22.0', drift: `migrate diff --from-schema-datasource ${SCHEMA} --to-schema-datamodel ${SCHEMA} --exit-code` },
  { version: '7.10.1', drift: `migrate diff --from-config-datasource --to-schema ${SCHEMA} --exit-code` },
] as const)('a whole run with Prisma $version, from the command to the proof, starts it three times', async ({ version, drift }) => {
  await using stack = new AsyncDisposableStack()
  await prepareReal()
  const { modules, env } = await prismaOf(version, isRealAsked({ version, topic: 'flow', title: 'run' }) ? 'real' : 'recorded')
  const origin = await createOrigin()
  stack.defer(origin.close)
  const files = versionFiles(version, 'shop')
  const schema = `${files[SCHEMA] ?? ''}${MODEL}`
  const migrations = { 'prisma/migrations/1_init/migration.sql': INIT, 'prisma/migrations/2_note/migration.sql': NOTE }
  await origin.commit({ ...files, [SCHEMA]: schema, ...migrations }, 'Notes')
  let node: CountingNode | undefined
  const flow = await startFlow({
    database: deployed,
    target: ({ directory }) => {
      node = countingNode(`${directory}/node`)
      return {
        source: { repository: origin.directory, branch: 'main', path: node.path, install: linkCommand(modules) },
        tool: { prisma: { env } },
      }
    },
  })
  stack.defer(flow.close)
  const request = await flow.ask('deploy prod')
  await flow.approve(request.id)
  await flow.reaches(request.id, 'succeeded')
  await flow.drawn(request.id)
  expect(flow.thread(request.id)).toContain('*Verify the schema* · 2 applied, Prisma agrees, live schema as described')
  expect(node?.prisma()).toEqual([`migrate status --schema ${SCHEMA}`, `migrate deploy --schema ${SCHEMA}`, drift])
})
