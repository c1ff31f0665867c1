import { expect, test } from 'vitest'
import { withTarget } from '../../../src/database/connect.ts'
import { readRights } from '../../../src/database/rights.ts'
import { runnerLockFindings, runnerRightsFindings } from '../../../src/run/preflight/runner.ts'
import { createDatabase } from '../../helpers/postgres.ts'
import { signedDatabase } from '../../plan/prisma8/application.ts'
import { later } from '../scene.ts'

async function signed(setUp = signedDatabase()) {
  const database = await createDatabase()
  later(() => database.close())
  const run = (text: string, url = database.url) => withTarget({ url, applicationName: 'test' }, (client) => client.query(text))
  if (setUp !== '') await run(setUp)
  const role = `shop_${database.name}`
  await run(`create role ${role} login password 'x'; grant usage, create on schema public to ${role}`)
  later(() => run(`drop owned by ${role}; drop role ${role}`))
  const url = new URL(database.url)
  ;[url.username, url.password] = [role, 'x']
  const findings = () =>
    withTarget({ url: url.href, applicationName: 'test' }, async (client) =>
      (await runnerRightsFindings(client, await readRights(client, 'public'), 'public'))
        .filter(({ level }) => level === 'stop')
        .map(({ text }) => text.replaceAll(role, 'ROLE')),
    )
  return { run, role, findings, url: database.url }
}

test('a role that may not write the record of Prisma 8 is stopped before anything runs', async () => {
  const { run, role, findings } = await signed()
  expect(await findings()).toEqual(["The role `ROLE` may not use the schema `prisma_contract`, Prisma 8's record. Grant it USAGE."])
  await run(`grant usage on schema prisma_contract to ${role}; grant select on all tables in schema prisma_contract to ${role}`)
  expect(await findings()).toEqual([
    "The role `ROLE` may not write `contract`, `ledger`, `ledger_id_seq` and `marker` of `prisma_contract`, Prisma 8's record. Grant it SELECT, INSERT and UPDATE on its tables, and USAGE on its sequence.",
  ])
  await run(
    `grant insert, update on all tables in schema prisma_contract to ${role}; grant usage on all sequences in schema prisma_contract to ${role}`,
  )
  expect(await findings()).toEqual([])
})

test('where there is no record yet it must be allowed to make one; that of the older runner does not matter', async () => {
  const { run, role, findings } = await signed('create table _prisma_migrations (id text)')
  expect(await findings()).toEqual([
    "The schema `prisma_contract`, Prisma 8's record, does not exist and the role `ROLE` may not create it. Grant CREATE on the database.",
  ])
  await run(`do $$ begin execute format('grant create on database %I to ${role}', current_database()); end $$`)
  expect(await findings()).toEqual([])
})

test('who holds its lock is named, whichever schema that is for', async () => {
  const { run, url } = await signed()
  await run('create schema shop')
  const found = () => withTarget({ url, applicationName: 'test' }, runnerLockFindings)
  expect(await found()).toEqual([])
  for (const schema of ['public', 'shop'])
    await withTarget({ url, applicationName: 'deploy-script' }, async (client) => {
      await client.query(`select pg_advisory_lock(hashtext('prisma_8.contract.marker:${schema}:app'))`)
      expect((await found()).map(({ text }) => text.replace(/\d+/, 'PID'))).toEqual([
        'Session PID (deploy-script) holds the migration lock on this database, as every `prisma db migrate` that runs does. Wait until it ends, or end it when nobody migrates.',
      ])
    })
})
