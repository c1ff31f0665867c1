import { migrationHashOf } from '../../../src/plan/prisma8/package.ts'
import { CONFIG } from '../../helpers/prisma8/scene.ts'
import { applicationFiles, NO_EMAIL, PHONE, THIRD } from '../../plan/prisma8/application.ts'

export type Situation = {
  readonly name: string
  /** Of the command line, without the program. */
  readonly command: readonly string[]
  /** Null for an empty database; otherwise SQL that runs after the first migration. */
  readonly sql: string | null
  /** Of the application; null removes. */
  readonly files?: Readonly<Record<string, string | null>>
  /** What another session holds meanwhile. */
  readonly held?: string
  /** What happens to the program's session while it waits for that. */
  readonly ends?: 'pg_cancel_backend' | 'pg_terminate_backend'
  /** More of the URL. */
  readonly options?: string
  readonly url?: (url: string) => string | undefined
}

const show = ['db', 'migrate', '--show', '--to', THIRD]
const migrate = ['db', 'migrate', '--to', THIRD]
const verify = ['db', 'verify']

const opsOf = (name: string) => `migrations/app/${name}/ops.json`

/** A package whose operations are others, with the hash that they then have. */
function rewritten(name: string, change: (text: string) => string): Readonly<Record<string, string>> {
  const files = applicationFiles()
  const metadata = JSON.parse(files[`migrations/app/${name}/migration.json`] ?? '') as object
  const operations = change(files[opsOf(name)] ?? '')
  const migrationHash = migrationHashOf(metadata, JSON.parse(operations))
  return { [opsOf(name)]: operations, [`migrations/app/${name}/migration.json`]: JSON.stringify({ ...metadata, migrationHash }) }
}

/** The first check of that kind is never true. */
const neverTrue = (phase: 'precheck' | 'postcheck') =>
  rewritten(PHONE, (text) => {
    const [operation, ...rest] = JSON.parse(text) as Record<string, { sql: string; params: unknown[] }[]>[]
    const [first, ...others] = operation?.[phase] ?? []
    return JSON.stringify([{ ...operation, [phase]: [{ ...first, sql: 'SELECT false AS "result"', params: [] }, ...others] }, ...rest])
  })

const nowhere = (url: string) => url.replace(/:\d+\//, ':1/')

/** What a run of this product meets, and what it has to tell apart. */
export const situations: readonly Situation[] = [
  { name: 'what would run on a signed database', command: show, sql: '' },
  { name: 'what would run on an empty one', command: show, sql: null },
  { name: 'what would run when all is applied', command: show, sql: `update prisma_contract.marker set core_hash = '${THIRD}'` },
  {
    name: 'what would run while the marker is held',
    command: show,
    sql: '',
    held: 'lock table prisma_contract.marker',
    options: 'lock_timeout=300',
  },
  {
    name: 'what would run where no way leads',
    command: show,
    sql: '',
    files: { [`migrations/app/${PHONE}/migration.json`]: null, [opsOf(PHONE)]: null },
  },
  {
    name: 'what would run with a package that was changed',
    command: show,
    sql: '',
    files: { [opsOf(PHONE)]: (applicationFiles()[opsOf(PHONE)] ?? '').replace('text', 'int') },
  },
  {
    name: 'what would run from another directory',
    command: show,
    sql: '',
    files: { 'prisma.config.ts': CONFIG.replace('contract:', "migrations: { dir: 'other' }, contract:") },
  },
  { name: 'what would run with a server that does not answer', command: show, sql: '', url: nowhere },
  { name: 'what would run without a URL', command: show, sql: '', url: () => undefined },
  { name: 'with a configuration that throws', command: show, sql: '', files: { 'prisma.config.ts': `throw new Error('no')\n` } },
  { name: 'with a configuration of Prisma 7', command: show, sql: '', files: { 'prisma.config.ts': `export default { schema: 'x' }\n` } },
  { name: 'without a configuration', command: show, sql: '', files: { 'prisma.config.ts': null } },
  { name: 'migrating a signed database', command: migrate, sql: '' },
  { name: 'migrating an empty one', command: migrate, sql: null },
  { name: 'migrating when all is applied', command: migrate, sql: `update prisma_contract.marker set core_hash = '${THIRD}'` },
  {
    name: 'migrating while a table is held',
    command: migrate,
    sql: '',
    held: 'lock table "Customer" in access share mode',
    options: 'lock_timeout=300',
  },
  {
    name: 'migrating while its lock is held',
    command: migrate,
    sql: '',
    held: `select pg_advisory_xact_lock(hashtext('prisma_8.contract.marker:public:app'))`,
    options: 'lock_timeout=300',
  },
  {
    name: 'migrating when its statement is cancelled',
    command: migrate,
    sql: '',
    held: 'lock table "Customer" in access share mode',
    ends: 'pg_cancel_backend',
  },
  {
    name: 'migrating when its session is ended',
    command: migrate,
    sql: '',
    held: 'lock table "Customer" in access share mode',
    ends: 'pg_terminate_backend',
  },
  { name: 'migrating with an operation that fails', command: migrate, sql: 'create view v as select email from "Customer"' },
  { name: 'migrating with an operation that is done already', command: migrate, sql: 'alter table "Customer" add column phone text' },
  {
    name: 'migrating to a result that the contract does not describe',
    command: migrate,
    sql: 'alter table "Customer" add column phone int',
  },
  { name: 'migrating with a check that is not true before', command: migrate, sql: '', files: neverTrue('precheck') },
  { name: 'migrating with a check that is not true after', command: migrate, sql: '', files: neverTrue('postcheck') },
  {
    name: 'migrating with a package that was changed',
    command: migrate,
    sql: '',
    files: { [opsOf(NO_EMAIL)]: (applicationFiles()[opsOf(NO_EMAIL)] ?? '').replace('Drop column', 'Drop a column') },
  },
  {
    name: 'migrating where no way leads',
    command: migrate,
    sql: '',
    files: { [`migrations/app/${PHONE}/migration.json`]: null, [opsOf(PHONE)]: null },
  },
  { name: 'migrating with a server that does not answer', command: migrate, sql: '', url: nowhere },
  { name: 'verifying what is as described', command: verify, sql: applied() },
  {
    name: 'verifying what has more',
    command: verify,
    sql: `${applied()}; alter table "Customer" add column more int; create table other (id int)`,
  },
  { name: 'verifying what lacks a column', command: verify, sql: `${applied()}; alter table "Customer" drop column phone` },
  {
    name: 'verifying what has another type',
    command: verify,
    sql: `${applied()}; alter table "Customer" alter column phone type int using null`,
  },
  { name: 'verifying another contract', command: verify, sql: '' },
  { name: 'verifying what was never signed', command: verify, sql: null },
  { name: 'verifying with a server that does not answer', command: verify, sql: '', url: nowhere },
]

/** As if the other two had been applied. */
function applied(): string {
  return `alter table "Customer" add column phone text; alter table "Customer" drop column email; update prisma_contract.marker set core_hash = '${THIRD}'`
}
