import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { claimEach, inSequence, isAnyDue, type Claim } from '../../src/store/claim-each.ts'
import { openStore, type Db, type Tx } from '../../src/store/pool.ts'
import { createDatabase, type TestDatabase } from '../helpers/postgres.ts'
import { until } from '../helpers/until.ts'

let database: TestDatabase
let db: Db
beforeAll(async () => {
  database = await createDatabase()
  db = openStore(database.url, () => {})
  await db.query('create table job (id int primary key, rank int not null, owner text, done_by text)')
})
afterAll(async () => {
  await db.close()
  await database.close()
})
beforeEach(async () => {
  await db.query('truncate job')
  await db.query('insert into job (id, rank) select id, 100 - id from generate_series(1, 6) as id')
})

type Job = { readonly id: number; readonly rank: number }
const jobs: Claim<Job> = {
  what: 'jobs',
  due: 'select j.id, j.rank from job j where j.done_by is null',
  id: 'j.id',
  order: 'j.rank',
  lock: 'of j',
}
const finish = (tx: Tx, id: number, by: string) => tx.query('update job set done_by = $2 where id = $1', [id, by])
const left = async () => (await db.query<{ id: number }>('select id from job where done_by is null order by id')).map(({ id }) => id)

test('each row is dealt with once, in its order, with what was read of it', async () => {
  const seen: Job[] = []
  const done = await claimEach(db, jobs, async (tx, job) => {
    seen.push(job)
    await finish(tx, job.id, 'me')
  })
  expect({ done, first: seen[0], last: seen.at(-1), left: await left() }).toEqual({
    done: 6,
    first: { id: 6, rank: 94 },
    last: { id: 1, rank: 99 },
    left: [],
  })
  expect(await claimEach(db, jobs, () => expect.fail('nothing is due'))).toBe(0)
})

test('replicas share the rows: none is dealt with twice and none is waited for', async () => {
  const did: number[] = []
  const replica = (name: string) =>
    claimEach(db, jobs, async (tx, { id }) => {
      did.push(id)
      await tx.query('select pg_sleep(0.02)')
      await finish(tx, id, name)
    })
  const done = await Promise.all(['a', 'b', 'c'].map(replica))
  expect(done.reduce((sum, one) => sum + one)).toBe(6)
  expect(did.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6])
})

test('a row that somebody else holds is left for the next time', async () => {
  await db.transaction(async (holder) => {
    await holder.query('select 1 from job where id = 6 for update')
    expect(await claimEach(db, jobs, async (tx, { id }) => void (await finish(tx, id, 'me')))).toBe(5)
  })
  expect(await left()).toEqual([6])
})

test('a row that fails is undone and holds back no other; which ones and why is thrown at the end', async () => {
  const dealing = claimEach(db, jobs, async (tx, { id }) => {
    await finish(tx, id, 'me')
    if (id % 2 === 0) throw new Error(`no ${id}`)
  })
  await expect(dealing).rejects.toThrow('jobs 6, 4, 2 are due and could not be dealt with: no 6; no 4; no 2')
  expect(await left()).toEqual([2, 4, 6])
})

test('a question that cannot be asked is a fault at once', async () => {
  await expect(claimEach(db, { ...jobs, order: 'j.nothing' }, () => expect.fail('nothing is due'))).rejects.toThrow(
    'column j.nothing does not exist',
  )
})

test('a kind that fails holds back no other kind', async () => {
  const failing = () => claimEach(db, { ...jobs, what: 'first jobs' }, () => Promise.reject(new Error('no')))
  const other = () => claimEach(db, jobs, async (tx, { id }) => void (await finish(tx, id, 'me')))
  await expect(inSequence(failing, other)).rejects.toThrow(/^first jobs 6, 5, 4, 3, 2, 1 are due and could not be dealt with: no; /)
  expect(await left()).toEqual([])
  expect(await inSequence(other, other)).toEqual([0, 0])
})

test('whether any is due is one condition', async () => {
  const ask = async () =>
    (await db.query<{ due: boolean }>(`select ${isAnyDue([jobs, { ...jobs, due: 'select j.id from job j where false' }])} as due`))[0]
  expect(await ask()).toEqual({ due: true })
  await db.query(`update job set done_by = 'me'`)
  expect(await ask()).toEqual({ due: false })
})

test('a row that somebody else dealt with between the question and the hold is asked again, and left alone', async () => {
  await db.query('truncate job')
  await db.query('insert into job (id, rank) values (1, 1)')
  await db.query('create table reminder (job int)')
  // what is due stands in another table, and the question waits in the middle, with its sight of both taken
  const reminders: Claim<Job> = {
    ...jobs,
    due: `select j.id, j.rank from (select pg_advisory_xact_lock_shared(77)) wait, job j
      where not exists (select from reminder where job = j.id)`,
  }
  let claiming: Promise<number> | undefined
  const acted: number[] = []
  await db.transaction(async (other) => {
    await other.query('select pg_advisory_xact_lock(77)')
    claiming = claimEach(db, reminders, async (tx, { id }) => {
      acted.push(id)
      await tx.query('insert into reminder values ($1)', [id])
    })
    await until('the question waits', async () => {
      // not in the transaction, which would see the same sessions each time
      const rows = await db.query(
        `select from pg_stat_activity where datname = current_database() and wait_event = 'advisory' and query like '%pg_advisory_xact_lock_shared%'`,
      )
      return rows.length === 1
    })
    await other.query('insert into reminder values (1)')
    await other.query(`update job set owner = 'other' where id = 1`)
  })
  expect({ done: await claiming, acted }).toEqual({ done: 0, acted: [] })
})
