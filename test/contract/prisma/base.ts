import { createDatabase, type TestDatabase } from '../../helpers/postgres.ts'
import { sha256 } from '../../../src/plan/files.ts'
import { ask, type Side } from './sides.ts'

export const FIRST = '20260101_customers'
export const SECOND = '20260102_orders'
export const THIRD = '20260103_discounts'
export const BASE = {
  [FIRST]: 'create table customer (id int primary key);\n',
  [SECOND]: 'create table "order" (id int primary key, customer_id int references customer);\n',
}

export const writeBase = async (side: Side): Promise<void> => {
  for (const [name, sql] of Object.entries(BASE)) await side.migration(name, sql)
}

/** The base is applied in it, as if somebody had deployed it a while ago. */
export async function deployedTemplate(): Promise<TestDatabase> {
  const template = await createDatabase()
  const rows = Object.entries(BASE).map(
    ([name, sql], at) =>
      `('00000000-0000-4000-8000-00000000000${at}', '${sha256(sql)}', '2026-01-01 12:00:0${at}.01', '${name}', null, null, '2026-01-01 12:00:0${at}', 1)`,
  )
  await ask(
    template.url,
    `${Object.values(BASE).join('')}
     create table _prisma_migrations (id varchar(36) primary key not null, checksum varchar(64) not null, finished_at timestamptz, migration_name varchar(255) not null,
       logs text, rolled_back_at timestamptz, started_at timestamptz not null default now(), applied_steps_count integer not null default 0);
     insert into _prisma_migrations values ${rows.join(', ')}`,
  )
  return template
}
