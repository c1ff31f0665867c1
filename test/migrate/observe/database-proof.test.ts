import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { withTarget } from '../../../src/database/connect.ts'
import { proveDatabase, whyElsewhere, type DatabaseProof } from '../../../src/migrate/observe/database-proof.ts'
import { createDatabase, onServer, type TestDatabase } from '../../helpers/postgres.ts'
import { holding, query } from '../../helpers/target.ts'
import { until } from '../../helpers/until.ts'

const TOOL = 'lockkeeper-41-dddddddd-status'
const READ = 'select * from "_prisma_migrations"'
const HELD = `select 1 from pg_locks l join pg_stat_activity a using (pid)
  where a.application_name = 'probe' and l.relation = 'public._prisma_migrations'::regclass and l.granted and l.mode = 'AccessExclusiveLock'`

let database: TestDatabase
let closing: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  database = await createDatabase()
  await query(database.url, 'create table _prisma_migrations (id text)')
})
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
  closing = []
  await database.close()
})

/** As the tool does it: it has started when the record is held already, takes a connection of its own and looks once. */
async function asks(name: string, url = database.url): Promise<string> {
  await until('the record is held', async () => (await query(database.url, HELD)).length > 0)
  const client = new pg.Client({ connectionString: url, application_name: name })
  await client.connect()
  try {
    await client.query(READ).catch(() => {}) // it is not there, for a tool that is led elsewhere
  } finally {
    await client.end()
  }
  return 'said'
}

const prove = (status: () => Promise<string>) =>
  proveDatabase({ url: database.url, applicationName: 'probe', toolName: TOOL, schema: 'public', status })

/** Somebody who reads the record again and again until the test ends; a monitor keeps its connection, a script makes one each time. */
async function reader(name: string, kind: 'keeps its connection' | 'connects each time'): Promise<{ readonly reads: () => number }> {
  const stop = new AbortController()
  const kept = new pg.Client({ connectionString: database.url, application_name: name })
  kept.on('error', () => {})
  const read = async () => {
    const client = kind === 'keeps its connection' ? kept : new pg.Client({ connectionString: database.url, application_name: name })
    if (client !== kept) await client.connect()
    await client.query(READ)
    if (client !== kept) await client.end()
  }
  if (kind === 'keeps its connection') await kept.connect()
  let reads = 0
  const reading = (async () => {
    while (!stop.signal.aborted) {
      await read()
      reads += 1
      await pause(100) // as a monitor does; nothing is waited for
    }
  })()
  closing.push(async () => {
    stop.abort()
    await reading
    await kept.end().catch(() => {})
  })
  return { reads: () => reads }
}

test('a question of Prisma that fails while it is watched is the fault of the proof, and the table is free again', async () => {
  await expect(prove(() => Promise.reject(new Error('no process could be started')))).rejects.toThrow('no process could be started')
  await withTarget({ url: database.url, applicationName: 'reader' }, (client) => client.query(READ))
})

describe('Prisma is known by the name that it was given, whoever else reads the record', () => {
  test('nobody else', async () => {
    expect(await prove(() => asks(TOOL))).toEqual({ output: 'said', proof: { kind: 'waiting' } })
  })

  test.each([
    ['a monitor', 'keeps its connection'],
    ['prisma', 'connects each time'],
    ['', 'connects each time'],
    ['lockkeeper-40-cccccccc-status', 'keeps its connection'],
  ] as const)('%s, which %s', async (name, kind) => {
    await reader(name, kind)
    expect((await prove(() => asks(TOOL))).proof).toEqual({ kind: 'waiting' })
  })

  test('five of them at once, of both kinds', async () => {
    for (const name of ['a', 'b', 'c']) await reader(name, 'keeps its connection')
    for (const name of ['d', 'prisma']) await reader(name, 'connects each time')
    expect((await prove(() => asks(TOOL))).proof).toEqual({ kind: 'waiting' })
  })

  test('somebody who reads it in a transaction that stays open: nothing is proved, and nobody is accused', async () => {
    const { release } = await holding(database.url, READ, 'report')
    try {
      expect((await prove(async () => 'said')).proof).toEqual({ kind: 'not-proved' })
    } finally {
      await release()
    }
  })

  test('somebody who takes it away for a moment while Prisma starts', async () => {
    const keeper = await reader('keeper', 'keeps its connection')
    const status = async () => {
      await until('the record is held', async () => (await query(database.url, HELD)).length > 0)
      const before = keeper.reads()
      // the second one began when it was free for a moment
      await until('others had their turn', async () => keeper.reads() > before + 1)
      return asks(TOOL)
    }
    expect((await prove(status)).proof).toEqual({ kind: 'waiting' })
  })
})

describe('a sentence that accuses names its evidence', () => {
  const datasource = { database: 'shop', schema: null, host: null, adapter: true }
  const identity = { host: 'db', port: 5432, database: 'shop', systemIdentifier: '7', databaseOid: 1 }
  const why = (proof: DatabaseProof) => whyElsewhere(datasource, proof, identity, { schema: 'public' })
  const SAID =
    'Prisma says `shop`, but its `migrate status` answered while this product held `public._prisma_migrations` of the approved database, so it does not read that table.'

  test('a tool without its name is one of those who came, and both ways are told', async () => {
    const { proof } = await prove(() => asks('prisma'))
    expect(proof).toEqual({
      kind: 'unseen',
      toolName: TOOL,
      strangers: [expect.stringMatching(/^`prisma` \(pid \d+, role `\w+`\)$/)],
      otherSchema: null,
    })
    expect(why(proof)?.replace(/pid \d+, role `\w+`/, 'PID')).toBe(
      `While Prisma's \`migrate status\` ran, no session with the \`application_name\` of its URL (\`${TOOL}\`) was seen to wait for the record of migrations of the approved database; \`prisma\` (PID) did. If that is Prisma, the repository's configuration drops the name, by which it is watched and stopped: let \`prisma.config.ts\` pass \`application_name\` and \`options\` on to the driver adapter. If not, it leads Prisma elsewhere.`,
    )
  })

  test('a tool that does not come is elsewhere', async () => {
    const other = await createDatabase()
    try {
      const { proof } = await prove(() => asks(TOOL, other.url))
      expect(why(proof)).toBe(
        `${SAID} The repository's configuration (a driver adapter in \`prisma.config.ts\`) leads it to another database or schema.`,
      )
    } finally {
      await other.close()
    }
  })

  test('a tool that does not come while others of before read the record is elsewhere, and they are not named', async () => {
    await reader('monitor', 'keeps its connection')
    const { proof } = await prove(async () => 'said')
    expect(why(proof)).toBe(
      `${SAID} The repository's configuration (a driver adapter in \`prisma.config.ts\`) leads it to another database or schema.`,
    )
  })

  test.each<[string, (name: string, role: string) => string, (name: string, role: string) => string]>([
    [
      'the database',
      (name) => `alter database ${name} set search_path to own`,
      (name) =>
        `\`search_path\` is \`own\` by \`ALTER DATABASE "${name}" SET\`. \`ALTER DATABASE "${name}" RESET search_path\` takes that back.`,
    ],
    [
      'the role in the database',
      (name, role) => `alter role ${role} in database ${name} set search_path to own`,
      (name, role) =>
        `\`search_path\` is \`own\` by \`ALTER ROLE "${role}" IN DATABASE "${name}" SET\`. \`ALTER ROLE "${role}" IN DATABASE "${name}" RESET search_path\` takes that back.`,
    ],
  ])('a search path that %s sets is named as the reason', async (_whose, change, text) => {
    const role = new URL(database.url).username
    await query(database.url, 'create schema own')
    await onServer(change(database.name, role))
    const { proof } = await prove(() => asks(TOOL))
    expect(why(proof)).toBe(
      `${SAID} In \`${database.name}\` names without a schema lead to the schema \`own\` and not to \`public\`: ${text(database.name, role)}`,
    )
  })
})

test("an administrator's limit on idle transactions does not end the proof while Prisma starts", async () => {
  const database = await createDatabase()
  try {
    const as = (applicationName: string) => ({ url: database.url, applicationName })
    await withTarget(as('setup'), (client) =>
      client.query(
        `create table _prisma_migrations (id text); alter database ${database.name} set idle_in_transaction_session_timeout = '200ms'`,
      ),
    )
    const held = `select from pg_stat_activity where application_name = 'probe' and datname = current_database()`
    const ages = `${held} and state_change > clock_timestamp() - interval '600 ms'`
    const status = async () => {
      await withTarget(as('watch'), (client) => until('it is held for long', async () => (await client.query(ages)).rowCount === 0))
      return withTarget(as('tool'), async (client) => {
        await client.query('select from _prisma_migrations')
        return 'Database schema is up to date!'
      })
    }
    const pinned = { url: database.url, applicationName: 'probe', toolName: 'tool', schema: 'public' }
    expect(await proveDatabase({ ...pinned, status })).toEqual({ output: 'Database schema is up to date!', proof: { kind: 'waiting' } })
  } finally {
    await database.close()
  }
})

// as Prisma 6.19.3 prints them for the URLs that it is given
test.each([
  ['sh op', 'sh%20op', true, null],
  ["sh@o+p;é'", "sh@o+p;%C3%A9'", true, null],
  ['a%20b', 'a%2520b', true, null],
  ['a%b', 'a%b', true, null],
  ['sh op', 'sh%20op', false, 'Prisma would change the database `sh%20op`, but `sh op` was approved.'],
  ['shop', 'other', true, 'Prisma would change the database `other`, but `shop` was approved.'],
])('the database %s that Prisma calls %s (through an adapter: %s)', (database, printed, adapter, why) => {
  const identity = { host: 'db', port: 5432, database, systemIdentifier: '7', databaseOid: 16_384 }
  const datasource = { database: printed, schema: 'public', host: null, adapter }
  expect(whyElsewhere(datasource, { kind: 'waiting' }, identity, { schema: 'public' })).toBe(why)
})
