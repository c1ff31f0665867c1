import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { StepEnd } from '../../src/request/step.ts'
import { provesOneScript } from '../../src/migrate/decide/one-script.ts'
import { isProblem, openWorkspace } from '../../src/migrate/prisma/prisma-workspace.ts'
import { migrateStep } from '../../src/run/steps/migrate.ts'
import { serverUrl } from '../helpers/server.ts'
import { until } from '../helpers/until.ts'
import { fast, init, scene, SEED, sleeping, type Scene } from '../run/scene.ts'

const step = migrateStep(fast)
const APPLICATION = 'The application was left as it was.'
const YOUNGER = 'Nothing in the schema is younger than its start.'
const ALIVE = 'No session of this run is alive.'
const FIVE = `${YOUNGER} Since its start 5 rows of \`orders\` were inserted or updated, by it or by others. ${ALIVE}`
const none = (tables: string) =>
  `${YOUNGER} Since its start no row of ${tables} was inserted or updated; deleted ones do not show. ${ALIVE}`
const compare = (name: string) =>
  `Compare the database with the file. If all of it is there, mark it as applied (\`npx prisma migrate resolve --applied ${name}\`); if nothing is, mark it as rolled back (\`npx prisma migrate resolve --rolled-back ${name}\`); if a part is, complete it or take it back by hand first. Then cancel this request and ask again.`
/** Long enough for a look at its session, also on a busy machine. */
const WATCHED = { lockTimeout: '3s' }
/** A transaction is seen only when a look falls into it. */
const MAYBE_SEEN = '(Transaction \\d+ of it was seen and is committed, so a part of it is in the database\\. )?'

/** Ten orders of 1 each, and one migration on them. */
async function orders(
  migrations: Readonly<Record<string, string>>,
  options: Parameters<typeof scene>[1] = {},
): Promise<Scene & { readonly totals: () => Promise<string> }> {
  const made = await scene(
    { '1_init': init, ...migrations },
    {
      lockTimeout: '500ms',
      baseline: ['1_init'],
      ...options,
      before: `${SEED} insert into orders (total) select 1 from generate_series(1, 10); ${options.before ?? ''}`,
    },
  )
  const totals = async () => {
    const [row] = await made.sql(`select string_agg(total::text, ' ' order by id) as totals from orders`)
    return String(row?.['totals'])
  }
  return { ...made, totals }
}

const tries = async ({ sql }: Scene) =>
  (await sql(`select count(*)::int as n from _prisma_migrations where migration_name <> '1_init'`))[0]?.['n']

async function holding({ session }: Scene, statement: string): Promise<void> {
  const holder = await session('reporting')
  await holder.query('begin')
  await holder.query(statement)
}

/** Whether a look at its session has found this. */
function isSeen({ run }: Pick<Scene, 'run'>, what: RegExp): boolean {
  const place = join(run.context.directory, 'migrator/0001/transactions.json')
  return existsSync(place) && what.test(readFileSync(place, 'utf8'))
}

async function cancelled({ run }: Scene, isReady: () => Promise<boolean> | boolean): Promise<StepEnd> {
  const ending = step.act(run.context)
  await until('it is at work', isReady)
  run.controls.cancelled = true
  run.controls.abort.abort()
  return ending
}

const FIRST_HALF = '100 100 100 100 100 1 1 1 1 1'
const UNTOUCHED = '1 1 1 1 1 1 1 1 1 1'
const block = (second: string) => `DO $$ BEGIN UPDATE orders SET total = total * 100 WHERE id <= 5; COMMIT; ${second} COMMIT; END $$;\n`

describe('a block that commits in its middle', () => {
  test('and cannot get a lock then is not tried again, and what was seen of it is told', async () => {
    const scene = await orders({ '2_block': block('UPDATE orders SET total = total * 100 WHERE id > 5;') }, WATCHED)
    await holding(scene, 'select from orders where id = 7 for update')
    expect(await step.act(scene.run.context)).toMatchObject({
      kind: 'unknown',
      output: expect.stringMatching(/^lock timeout, 1 try in \d+(\.\d)? s$/),
      outcome: {
        headline: '*`2_block` could not get its lock. It may be applied in part: `2_block`. Lockkeeper will not guess.*',
        known: expect.stringMatching(
          new RegExp(
            `^Its code block commits by itself, and what it did before stays\\. ${MAYBE_SEEN}The transaction that failed was not its first: an earlier one of it had ended\\. ${FIVE.replaceAll('.', '\\.')}$`,
          ),
        ),
        notKnown: 'Whether all of `2_block` took effect. The record says "started".',
        next: compare('2_block'),
      },
    })
    expect(await scene.totals()).toBe(FIRST_HALF)
    expect(await tries(scene)).toBe(1)
    expect(scene.run.recorded.reports.filter((text) => /left behind|again/.test(text))).toEqual([])
  })

  test('and fails then is neither undone nor to be marked as rolled back', async () => {
    const scene = await orders({ '2_block': block('UPDATE orders SET total = total / 0 WHERE id > 5;') })
    const end = await step.act(scene.run.context)
    expect(end).toMatchObject({
      kind: 'unknown',
      outcome: {
        headline: expect.stringMatching(/^\*`2_block` .* It may be applied in part: `2_block`\. Lockkeeper will not guess\.\*$/),
        known: expect.stringContaining('Its code block commits by itself, and what it did before stays.'),
        next: compare('2_block'),
      },
    })
    expect(await scene.totals()).toBe(FIRST_HALF)
  })

  test('and is cancelled then is not called undone', async () => {
    const scene = await orders({ '2_block': block('PERFORM pg_sleep(60);'), '3_more': 'SELECT 1;\n' })
    expect(await cancelled(scene, () => isSeen(scene, /"anew":true/))).toMatchObject({
      kind: 'unknown',
      outcome: {
        headline: '*`2_block` was cancelled while it ran. It may be applied in part: `2_block`. Lockkeeper will not guess.*',
        known: expect.stringContaining('The transaction that failed was not its first: an earlier one of it had ended.'),
      },
    })
    expect(await scene.totals()).toBe(FIRST_HALF)
    expect(await scene.sql('select count(rolled_back_at)::int as n from _prisma_migrations')).toEqual([{ n: 0 }])
  })
})

describe('a procedure that commits', () => {
  const FILL = `CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN UPDATE orders SET total = total * 100 WHERE id <= 5; COMMIT; UPDATE orders SET total = total * 100 WHERE id > 5; END $$;\n`

  test('and was made by an earlier file of the same plan leaves a part', async () => {
    const scene = await orders({ '2_make': FILL, '3_call': 'CALL fill();\n' }, WATCHED)
    await holding(scene, 'select from orders where id = 7 for update')
    expect(await step.act(scene.run.context)).toMatchObject({
      kind: 'unknown',
      outcome: {
        headline: '*`3_call` could not get its lock. It may be applied in part: `3_call`. Lockkeeper will not guess.*',
        known: expect.stringMatching(
          /^`2_make` is applied\. The procedure `fill` commits by itself, and what it did before stays\. .*The transaction that failed was not its first/,
        ),
      },
    })
    expect(await scene.totals()).toBe(FIRST_HALF)
    expect(await tries(scene)).toBe(2)
  })

  test('through another one is found in the database, and one that does not commit is undone', async () => {
    const calling = (name: string, body: string) => `create procedure ${name}() language plpgsql as $$ begin ${body} end $$;`
    const scene = await orders(
      { '2_through': 'DO $$ BEGIN CALL through(); END $$;\n', '3_plain': 'CALL plain();\n' },
      {
        before:
          FILL +
          calling('through', 'call public.fill();') +
          calling('plain', 'update orders set total = 7; perform 1 / 0; /* no commit */'),
      },
    )
    await holding(scene, 'select from orders where id = 7 for update')
    expect(await step.act(scene.run.context)).toMatchObject({
      kind: 'unknown',
      outcome: { known: expect.stringMatching(/^The procedure `through` commits by itself, and what it did before stays\. /) },
    })
    expect(await scene.totals()).toBe(FIRST_HALF)
    await scene.sql(`update _prisma_migrations set finished_at = now() where migration_name = '2_through'`)
    expect(await step.act(scene.run.context)).toMatchObject({
      kind: 'failed',
      outcome: { headline: expect.stringMatching(/^\*`3_plain` .* 1 of 2 migrations is applied and kept\.\*/) },
    })
    expect(await scene.totals()).toBe(FIRST_HALF)
  })

  test('and is called in the file that makes it is refused by the server, which undoes the file', async () => {
    const scene = await orders({ '2_both': `${FILL}CALL fill();\n` })
    expect(await step.act(scene.run.context)).toMatchObject({
      kind: 'failed',
      outcome: {
        headline: expect.stringContaining(`It is not applied.* ${APPLICATION}`),
        excerpt: expect.stringContaining('invalid transaction termination (2D000)'),
      },
    })
    expect(await scene.totals()).toBe(UNTOUCHED)
    expect(await scene.sql(`select from pg_proc where proname = 'fill'`)).toEqual([])
  })

  test.each([
    [
      'SQL that a block puts together',
      `DO $$ BEGIN UPDATE orders SET total = total * 100 WHERE id <= 5; EXECUTE 'CA' || 'LL fill()'; END $$;\n`,
    ],
    [
      'a function',
      `CREATE FUNCTION fill_now() RETURNS void LANGUAGE plpgsql AS $$ BEGIN UPDATE orders SET total = 100; CALL fill(); END $$;\nSELECT fill_now();\n`,
    ],
  ])('and is called by %s is refused by the server, which undoes the file', async (_by, sql) => {
    const scene = await orders({ '2_call': sql }, { before: FILL })
    expect(await step.act(scene.run.context)).toMatchObject({
      kind: 'failed',
      outcome: { excerpt: expect.stringContaining('invalid transaction termination (2D000)') },
    })
    expect(await scene.totals()).toBe(UNTOUCHED)
  })
})

describe('statements of transactions in a file', () => {
  test('COMMIT in its middle leaves what stands before it, and a lock timeout after it is not tried again', async () => {
    const scene = await orders({
      '2_halves': 'UPDATE orders SET total = total * 100 WHERE id <= 5;\nCOMMIT;\nUPDATE orders SET total = total * 100 WHERE id > 5;\n',
    })
    await holding(scene, 'select from orders where id = 7 for update')
    expect(await step.act(scene.run.context)).toMatchObject({
      kind: 'unknown',
      outcome: { known: expect.stringMatching(/^It has a `COMMIT` inside, and what stands before it stays\. /) },
    })
    expect(await scene.totals()).toBe(FIRST_HALF)
    expect(await tries(scene)).toBe(1)
  })

  test('BEGIN and COMMIT around all of it leave nothing, so it is tried again until it is applied, once', async () => {
    const scene = await orders({ '2_whole': 'BEGIN;\nUPDATE orders SET total = total * 100;\nCOMMIT;\n' })
    const holder = await scene.session('reporting')
    await holder.query('begin; select from orders where id = 7 for update')
    const ending = step.act(scene.run.context)
    const told = await until('another try', () => scene.run.recorded.reports.find((text) => text.startsWith('Lock timeout')))
    await holder.query('rollback')
    expect(told).toMatch(/Nothing was left behind; trying again/)
    expect(await ending).toMatchObject({ kind: 'done' })
    expect(await scene.totals()).toBe('100 100 100 100 100 100 100 100 100 100')
  })

  test('a script that the server cannot read is not called applied in part, though it has a COMMIT', async () => {
    const scene = await orders({ '2_typo': 'BEGIN;\nUPDATE orders SET total = 100;\nCOMMIT;\nCREAT TABLE more (id int);\n' })
    expect(await step.act(scene.run.context)).toMatchObject({
      kind: 'failed',
      output: 'syntax',
      outcome: { headline: `*\`2_typo\` stopped: PostgreSQL cannot read its SQL. It is not applied.* ${APPLICATION}` },
    })
    expect(await scene.totals()).toBe(UNTOUCHED)
  })

  test('nor is a block that the server cannot read', async () => {
    const scene = await orders({ '2_typo': block('UPDAT orders SET total = 7;') })
    expect(await step.act(scene.run.context)).toMatchObject({
      kind: 'failed',
      output: 'syntax',
      outcome: { headline: `*\`2_typo\` stopped: PostgreSQL cannot read its SQL. It is not applied.* ${APPLICATION}` },
    })
    expect(await scene.totals()).toBe(UNTOUCHED)
  })

  test('what cannot run in a transaction fails beside others, and all is undone', async () => {
    const scene = await orders({ '2_vacuum': 'UPDATE orders SET total = 100;\nVACUUM orders;\n' })
    expect(await step.act(scene.run.context)).toMatchObject({
      kind: 'failed',
      outcome: { headline: expect.stringContaining('It is not applied.'), excerpt: expect.stringContaining('(25001)') },
    })
    expect(await scene.totals()).toBe(UNTOUCHED)
  })

  test('VACUUM alone that cannot get its lock is left to a person', async () => {
    const scene = await orders({ '2_vacuum': 'VACUUM orders;\n' })
    await holding(scene, 'lock table orders')
    expect(await step.act(scene.run.context)).toMatchObject({
      kind: 'unknown',
      outcome: {
        known: `Its statement may work in several transactions, or outside of any. ${YOUNGER} Whether rows of \`orders\` changed could not be seen in a moment. ${ALIVE}`,
      },
    })
  })
})

describe('what acts outside of its transaction', () => {
  const ELSEWHERE = `UPDATE orders SET total = total * 100 WHERE id > 5;\n`

  test('a second connection keeps what it did, so a lock timeout is not tried again', async () => {
    const { hostname, port, username, password } = new URL(serverUrl())
    const connection = `format('host=${hostname} port=${port} user=${username} password=${password} dbname=%s', current_database())`
    const scene = await orders(
      { '2_link': `SELECT dblink_exec(${connection}, 'UPDATE orders SET total = total * 100 WHERE id <= 5');\n${ELSEWHERE}` },
      { before: 'create extension dblink' },
    )
    await holding(scene, 'select from orders where id = 7 for update')
    expect(await step.act(scene.run.context)).toMatchObject({
      kind: 'unknown',
      outcome: { known: `\`dblink_exec\` acts outside of its transaction, so what that did stays. ${FIVE}` },
    })
    expect(await scene.totals()).toBe(FIRST_HALF)
    expect(await tries(scene)).toBe(1)
  })

  test('a trigger of the table that sets a sequence is found in the database, though the file does not name it', async () => {
    const scene = await orders(
      { '2_rows': `INSERT INTO tally VALUES ('a');\nUPDATE orders SET total = 100;\n` },
      {
        before: `create sequence numbers; create function number_on() returns trigger language plpgsql as $$ begin perform setval('numbers', 70); return new; end $$;
          create trigger numbering before insert on tally for each row execute function number_on()`,
      },
    )
    await holding(scene, 'select from orders where id = 7 for update')
    expect(await step.act(scene.run.context)).toMatchObject({
      kind: 'unknown',
      outcome: {
        known: `\`number_on\`, which it reaches, may act outside of its transaction, and what that did stays. ${none('`orders` and `tally`')}`,
      },
    })
    expect(await scene.sql('select last_value::int as n from numbers')).toEqual([{ n: 70 }])
    expect(await tries(scene)).toBe(1)
  })
})

describe('CONCURRENTLY that is ended in its middle', () => {
  const NAME = '3_concurrently'
  const concurrent = (sql: string, before: string) => orders({ [NAME]: sql, '4_more': 'SELECT 1;\n' }, { concurrently: [NAME], before })
  /** The migrator waits for the transaction of another session. */
  const waits = (scene: Scene) => async () =>
    scene.run.recorded.reports.some((text) => /wait/i.test(text)) &&
    (
      await scene.sql(
        `select from pg_locks l join pg_stat_activity a using (pid) where not granted and application_name ~ '^lockkeeper-\\d+-'`,
      )
    ).length > 0

  test('DROP INDEX leaves an invalid index, which is named with the statement that finishes it', async () => {
    const scene = await concurrent('DROP INDEX CONCURRENTLY "Totals";\n', 'create index "Totals" on orders (total)')
    await holding(scene, 'select from orders')
    expect(await cancelled(scene, waits(scene))).toMatchObject({
      kind: 'cancelled',
      outcome: {
        headline: `*\`${NAME}\` was cancelled while it ran. Half of it is done.* ${APPLICATION}`,
        why: 'The index `Totals` is invalid: it is half dropped, still there and unused by queries. Not started: `4_more`.',
        next: `Finish it: \`DROP INDEX CONCURRENTLY public."Totals";\`. Then mark \`${NAME}\` as applied, since nothing else runs until then: \`npx prisma migrate resolve --applied ${NAME}\`. Then ask again.`,
      },
    })
    expect(await scene.sql(`select indisvalid from pg_index where indexrelid = '"Totals"'::regclass`)).toEqual([{ indisvalid: false }])
    expect(await scene.sql('select count(rolled_back_at)::int as n from _prisma_migrations')).toEqual([{ n: 0 }])
  })

  test('DROP INDEX that a lock timeout ends is named in the same way, and not tried again', async () => {
    // as a plan of before it was known to need no timeout
    const scene = await orders({ [NAME]: 'DROP INDEX CONCURRENTLY totals;\n' }, { before: 'create index totals on orders (total)' })
    await holding(scene, 'select from orders')
    expect(await step.act(scene.run.context)).toMatchObject({
      kind: 'failed',
      output: expect.stringMatching(/^lock timeout, 1 try in /),
      outcome: {
        headline: `*\`${NAME}\` could not get its lock. Half of it is done.* ${APPLICATION}`,
        why: 'The index `totals` is invalid: it is half dropped, still there and unused by queries.',
        next: expect.stringMatching(/^Finish it: `DROP INDEX CONCURRENTLY public\.totals;`\. /),
      },
    })
    expect(await tries(scene)).toBe(1)
  })

  test('DROP INDEX of what is not there has done nothing', async () => {
    const scene = await concurrent('DROP INDEX CONCURRENTLY totals;\n', '')
    expect(await step.act(scene.run.context)).toMatchObject({
      kind: 'failed',
      output: 'does not exist',
      outcome: { headline: expect.stringContaining('None of the 2 migrations is applied.') },
    })
  })

  test('DROP INDEX that has not begun to drop is undone', async () => {
    const scene = await concurrent('DROP INDEX CONCURRENTLY totals;\n', 'create index totals on orders (total)')
    await holding(scene, 'lock table orders')
    expect(await cancelled(scene, waits(scene))).toMatchObject({
      kind: 'cancelled',
      outcome: {
        headline: `*Cancelled while migrating. None of the 2 migrations is applied.* ${APPLICATION}`,
        why: `\`${NAME}\` was running; the database undid it as a whole and it is marked as rolled back. Not started: \`4_more\`.`,
      },
    })
    expect(await scene.sql(`select indisvalid from pg_index where indexrelid = 'totals'::regclass`)).toEqual([{ indisvalid: true }])
  })

  test('CREATE INDEX leaves an invalid index, which is named with the statement that removes it', async () => {
    const scene = await concurrent('CREATE INDEX CONCURRENTLY ON orders (total);\n', '')
    await holding(scene, 'insert into orders (total) values (1)')
    expect(await cancelled(scene, waits(scene))).toMatchObject({
      kind: 'cancelled',
      outcome: {
        headline: `*\`${NAME}\` was cancelled while it ran. Half of it is done.* ${APPLICATION}`,
        why: 'The index `orders_total_idx` is invalid: unfinished, unused by queries and paid for by writes. Not started: `4_more`.',
        next: `Remove it: \`DROP INDEX CONCURRENTLY public.orders_total_idx;\`. Then mark \`${NAME}\` as rolled back, since nothing else runs until then: \`npx prisma migrate resolve --rolled-back ${NAME}\`. Then ask again.`,
      },
    })
  })

  test('REINDEX leaves the index that it was building', async () => {
    const scene = await concurrent('REINDEX INDEX CONCURRENTLY totals;\n', 'create index totals on orders (total)')
    await holding(scene, 'insert into orders (total) values (1)')
    expect(await cancelled(scene, waits(scene))).toMatchObject({
      kind: 'cancelled',
      outcome: {
        why: 'The index `totals_ccnew` is invalid: it is what a rebuild left unfinished, and the old index is in use as before. Not started: `4_more`.',
        next: expect.stringMatching(
          /^Remove it: `DROP INDEX CONCURRENTLY public\.totals_ccnew;`\. Then mark `3_concurrently` as rolled back/,
        ),
      },
    })
  })

  test('DETACH PARTITION leaves it pending, and the statement that finishes it can be copied', async () => {
    const scene = await concurrent(
      'ALTER TABLE sales DETACH PARTITION sales_2025 CONCURRENTLY;\n',
      'create table sales (year int) partition by range (year); create table sales_2025 partition of sales for values from (2025) to (2026)',
    )
    await holding(scene, 'select from sales')
    expect(await cancelled(scene, waits(scene))).toMatchObject({
      kind: 'cancelled',
      outcome: {
        why: 'The partition `sales_2025` of `public.sales` is being detached and not yet on its own: queries of the whole table leave it out. Not started: `4_more`.',
        next: `Finish it: \`ALTER TABLE public.sales DETACH PARTITION public.sales_2025 FINALIZE;\`. Then mark \`${NAME}\` as applied, since nothing else runs until then: \`npx prisma migrate resolve --applied ${NAME}\`. Then ask again.`,
      },
    })
    expect(await scene.sql('select inhdetachpending as pending from pg_inherits')).toEqual([{ pending: true }])
  })
})

describe('a session that is ended by somebody else', () => {
  const terminate = ({ sql, run }: Scene) =>
    sql(`select pg_terminate_backend(pid) from pg_stat_activity where application_name ~ '^lockkeeper-${run.context.requestId}-'`)

  test('while its only transaction was seen leaves nothing, by the word of the server', async () => {
    const scene = await orders({ '2_slow': 'UPDATE orders SET total = 100;\nSELECT pg_sleep(60);\n' })
    const ending = step.act(scene.run.context)
    await until('it was looked at', () => isSeen(scene, /"xid":"/))
    await terminate(scene)
    expect(await ending).toMatchObject({ kind: 'failed', outcome: { headline: expect.stringContaining('It is not applied.') } })
    expect(await scene.totals()).toBe(UNTOUCHED)
  })

  test('before any of its transactions was seen may have committed', async () => {
    const scene = await orders({ '2_slow': 'SELECT pg_sleep(60);\nUPDATE orders SET total = 100;\n' })
    const ending = step.act(scene.run.context)
    await until('it sleeps', async () => (await sleeping(scene.sql)) === 1)
    await terminate(scene)
    expect(await ending).toMatchObject({
      kind: 'unknown',
      outcome: { known: `The connection was lost, which can happen after a commit as well as before it. ${none('`orders`')}` },
    })
  })
})

test('a driver adapter that splits a file at semicolons is found out, and a lock timeout is not tried again', async () => {
  // the one of the sample without what makes it faithful
  const config = readFileSync(join(import.meta.dirname, '../../examples/shop/prisma.config.ts'), 'utf8').replace(
    /adapter\.executeScript = async[\s\S]*?\n {2}\}\n {2}return adapter/,
    'return adapter',
  )
  const scene = await orders(
    { '2_two': 'UPDATE orders SET total = total * 100 WHERE id <= 5;\nUPDATE orders SET total = total * 100 WHERE id > 5;\n' },
    { ...WATCHED, files: { 'prisma.config.ts': config } },
  )
  await holding(scene, 'select from orders where id = 7 for update')
  expect(await step.act(scene.run.context)).toMatchObject({
    kind: 'unknown',
    outcome: {
      headline: expect.stringContaining('It may be applied in part: `2_two`. Lockkeeper will not guess.'),
      known: expect.stringContaining('Its statements were seen to be sent one by one, and those before the failed one stay.'),
    },
  })
  expect(await scene.totals()).toBe(FIRST_HALF)
  expect(await tries(scene)).toBe(1)
  // also when nobody looked at the right moment
  expect(await asked(scene, '2_two')).toBe(false)
})

test('one that sends a file as one script is believed after it has done so', async () => {
  expect(await asked(await orders({ '2_two': 'SELECT 1;\nSELECT 2;\n' }), '2_two')).toBe(true)
})

async function asked({ run }: Pick<Scene, 'run'>, name: string): Promise<boolean> {
  const workspace = await openWorkspace(run.context)
  if (isProblem(workspace)) throw new Error(workspace.headline)
  mkdirSync(workspace.base, { recursive: true })
  return provesOneScript({ context: run.context, workspace }, name)
}
