import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { unknownCatalogue, type Catalogue } from '../../../src/database/catalogue/catalogue.ts'
import { lockModes, rules, type Part } from '../../../src/sql/rules/forecast.ts'
import { weights, type Finding } from '../../../src/sql/weigh/finding.ts'
import { weigh } from '../../../src/sql/weigh/weigh.ts'
import { customer, live, orders, part, statement, table, weighFile, weighing } from './forecasts.ts'

const index = statement('CREATE INDEX "orders_total_idx" ON "orders"("total")', 'Share', [
  part('create index', { name: 'orders_total_idx', scans: [orders], builds: [{ name: 'orders_total_idx', on: orders }] }),
])
const rewrite = statement('ALTER TABLE "orders" ALTER COLUMN "id" TYPE bigint', 'AccessExclusive', [
  part('change type', {
    column: 'id',
    from: 'integer',
    to: 'bigint',
    rewrites: [orders],
    scans: [orders],
    builds: [{ name: 'orders_pkey', on: orders }],
  }),
])
const shown = (found: readonly Finding[]) => found.map(({ weight, code, text }) => `${weight} ${code}: ${text}`)

describe('size and traffic of this database decide what a danger weighs', () => {
  test('an index on 200 rows is a note and on 200 million a blocker', () => {
    expect(shown(weighFile(live([table(orders, 200)]), [index]))).toMatchInlineSnapshot(`
      [
        "note index-build: builds the index \`orders_total_idx\` from all 200 rows of \`orders\` (59 kB); nobody can write to it meanwhile",
      ]
    `)
    expect(shown(weighFile(live([table(orders, 200_000_000, { writesPerSecond: 300, readsPerSecond: 9 })]), [index])))
      .toMatchInlineSnapshot(`
      [
        "blocker index-build: builds the index \`orders_total_idx\` from all 200,000,000 rows of \`orders\` (59 GB); nobody can write to it meanwhile, and it has 300 writes a second",
      ]
    `)
  })

  test('a table that is written anew is told with its rows, its size and its traffic', () => {
    const busy = live([table(orders, 41_000_000, { writesPerSecond: 300, readsPerSecond: 5_012.3 })])
    expect(shown(weighFile(busy, [rewrite]))).toMatchInlineSnapshot(`
      [
        "blocker rewrite: writes all 41,000,000 rows of \`orders\` (12 GB) anew; nobody can read or write it meanwhile, and it has 300 writes and 5,012 reads a second",
      ]
    `)
  })

  test('between the two limits it is a warning, and a blocker where the table is written often', () => {
    expect(weighFile(live([table(orders, 150_000)]), [index]).map(({ weight }) => weight)).toEqual(['warning'])
    expect(weighFile(live([table(orders, 150_000, { writesPerSecond: 100 })]), [index]).map(({ weight }) => weight)).toEqual(['blocker'])
  })

  test('a table that was never analysed is weighed by its bytes', () => {
    expect(shown(weighFile(live([table(orders, null, { bytes: 3e9 })]), [index]))).toMatchInlineSnapshot(`
      [
        "blocker index-build: builds the index \`orders_total_idx\` from all rows of \`orders\` (3.0 GB, never counted); nobody can write to it meanwhile",
      ]
    `)
  })

  test('without a database every table is taken for large, and the finding says so', () => {
    expect(shown(weighFile(null, [index]))).toMatchInlineSnapshot(`
      [
        "blocker index-build: builds the index \`orders_total_idx\` from all rows of \`orders\`; nobody can write to it meanwhile; its size is not known here, so it is taken for large",
      ]
    `)
  })

  test('a weight never falls as rows, bytes or writes grow', () => {
    fc.assert(
      fc.property(
        fc.record({ rows: fc.nat(1e9), bytes: fc.nat(), writesPerSecond: fc.nat(1e4) }),
        fc.record({ rows: fc.nat(1e9), bytes: fc.nat(), writesPerSecond: fc.nat(1e4) }),
        fc.constantFrom(...rules),
        fc.constantFrom(...lockModes),
        fc.subarray(['rewrites', 'scans', 'loses', 'fails'] as const),
        (size, more, rule, mode, does) => {
          const one = part(rule, {
            ...(does.includes('rewrites') ? { rewrites: [orders] } : {}),
            ...(does.includes('scans') ? { scans: [orders] } : {}),
            ...(does.includes('loses') ? { loses: ['orders.note with what it holds'] } : {}),
            ...(does.includes('fails') ? { old: { kind: 'fails', why: 'it is gone' } } : {}),
          } satisfies Partial<Part>)
          const larger = {
            rows: size.rows + more.rows,
            bytes: size.bytes + more.bytes,
            writesPerSecond: size.writesPerSecond + more.writesPerSecond,
          }
          const weigh = (of: typeof size) => weighFile(live([table(orders, of.rows, of)]), [statement('SELECT 1', mode, [one])])
          const heaviest = (of: typeof size) => Math.max(-1, ...weigh(of).map(({ weight }) => weights.indexOf(weight)))
          expect(heaviest(larger)).toBeGreaterThanOrEqual(heaviest(size))
        },
      ),
    )
  })

  test('what the plan itself makes is nobody’s concern', () => {
    const made = {
      ...index,
      locks: [{ on: orders, mode: 'Share' as const, isNew: true }],
      parts: index.parts.map((one) => ({ ...one, isNew: true })),
    }
    expect(weighFile(live([]), [made])).toEqual([])
  })

  test('each statement of a long file is told', () => {
    const now = live([table(orders, 41_000_000)])
    const many = (count: number) => Array.from({ length: count }, () => rewrite)
    expect(weighFile(now, many(500)).length).toBe(500)
  })
})

describe('what statements of a file do to each other', () => {
  test('a long check while an earlier statement keeps another table locked', () => {
    const now = live([table(orders, 41_000_000), table(customer, 200)])
    const add = statement('ALTER TABLE "customer" ADD COLUMN "note" text', 'AccessExclusive', [
      part('add column', { table: customer, column: 'note' }),
    ])
    const validate = statement('ALTER TABLE "orders" VALIDATE CONSTRAINT "positive"', 'ShareUpdateExclusive', [
      part('validate constraint', { name: 'positive', scans: [orders] }),
    ])
    expect(shown(weighFile(now, [add, validate]))).toMatchInlineSnapshot(`
      [
        "blocker wide-lock: works through all 41,000,000 rows of \`orders\` (12 GB) while line 1 keeps \`customer\` locked: nobody can read or write \`customer\` until the file has ended",
      ]
    `)
    expect(weighFile(now, [add, validate], false)).toEqual([])
  })

  test('an index is built under the lock that an earlier statement took', () => {
    const add = statement('ALTER TABLE "orders" ADD COLUMN "total" int', 'AccessExclusive', [part('add column', { column: 'total' })])
    expect(shown(weighFile(live([table(orders, 200)]), [add, index]))).toMatchInlineSnapshot(`
      [
        "note index-build: builds the index \`orders_total_idx\` from all 200 rows of \`orders\` (59 kB); nobody can read or write it meanwhile",
      ]
    `)
  })

  test('NOT VALID gains nothing where the same file validates it', () => {
    const add = statement('ALTER TABLE "orders" ADD CONSTRAINT "positive" CHECK (total > 0) NOT VALID', 'AccessExclusive', [
      part('add check', { name: 'positive' }),
    ])
    const validate = statement('ALTER TABLE "orders" VALIDATE CONSTRAINT "positive"', 'ShareUpdateExclusive', [
      part('validate constraint', { name: 'positive', scans: [orders] }),
    ])
    expect(weighFile(live([table(orders, 41_000_000)]), [add, validate])).toMatchInlineSnapshot(`
      [
        {
          "advice": {
            "files": [
              {
                "name": "validate_positive",
                "sql": "ALTER TABLE "orders" VALIDATE CONSTRAINT "positive";
      ",
              },
            ],
            "text": "Take this statement out of the file and put it into a migration of its own: the lock of the other ends with its file, and this one then lets everybody read and write",
          },
          "code": "validate-in-one-transaction",
          "line": 2,
          "migration": "m1",
          "table": "orders",
          "text": "validates \`positive\` in the file that adds it (line 1), so the lock of that is held while all 41,000,000 rows of \`orders\` (12 GB) are read, and NOT VALID gained nothing",
          "waived": null,
          "weight": "blocker",
        },
      ]
    `)
  })

  test('a file that shuts many tables says so', () => {
    const all = Array.from({ length: 6 }, (_one, at) => ({ schema: 'public', name: `t${at}` }))
    const statements = all.map((one) =>
      statement(`ALTER TABLE ${one.name} ADD a int`, 'AccessExclusive', [part('add column', { table: one, column: 'a' })]),
    )
    expect(shown(weighFile(live(all.map((one) => table(one, 10))), statements))).toMatchInlineSnapshot(`
      [
        "note wide-lock: keeps 6 tables locked at once (\`t0\`, \`t1\`, \`t2\` and 3 more): nobody can read any of them until the last statement has ended",
      ]
    `)
  })
})

describe('what is lost, and who still uses it', () => {
  const drop = statement('ALTER TABLE "orders" DROP COLUMN "note"', 'AccessExclusive', [
    part('drop column', {
      column: 'note',
      loses: ['orders.note with what it holds'],
      old: { kind: 'fails', why: 'it reads a column that is gone' },
    }),
  ])

  test('a dropped column names the rows, the code that breaks, and the statements that use it', () => {
    const now = live([table(orders, 41_000_000, { readsPerSecond: 40 })], {
      queries: [
        {
          shown: 'SELECT "note" FROM "orders" WHERE id = $1',
          text: 'SELECT "note" FROM "orders" WHERE id = $1',
          calls: 1_200,
          forMs: 3_600_000,
        },
        { shown: 'SELECT note FROM customer', text: 'SELECT note FROM customer', calls: 5, forMs: 3_600_000 },
        { shown: "SELECT 'orders note'", text: "SELECT 'orders note'", calls: 5, forMs: 3_600_000 },
      ],
    })
    expect(shown(weighFile(now, [drop]))).toMatchInlineSnapshot(`
      [
        "blocker data-loss: takes away for good: orders.note with what it holds (about 41,000,000 rows); the application that runs now fails until the new one is live: it reads a column that is gone",
        "blocker in-use: 1,200 statements have used \`orders.note\` in the last 1 h, most of them \`SELECT "note" FROM "orders" WHERE id = $1\`",
      ]
    `)
  })

  test('what was put aside before is a note', () => {
    const last = statement('ALTER TABLE "orders" DROP COLUMN "_deprecated_note"', 'AccessExclusive', [
      part('drop column', { column: '_deprecated_note', loses: ['orders._deprecated_note with what it holds'] }),
    ])
    expect(weighFile(live([table(orders, 41_000_000)]), [last]).map(({ weight }) => weight)).toEqual(['note'])
  })

  test('a required column that the server refuses is a blocker with the three releases', () => {
    const add = statement(
      'ALTER TABLE "orders" ADD COLUMN "note" varchar(20) NOT NULL',
      'AccessExclusive',
      [part('add required column', { column: 'note' })],
      { fails: { sqlstate: '23502', why: 'the rows that are there have no value for it' } },
    )
    expect(weighFile(live([table(orders, 41_000)]), [add])).toMatchInlineSnapshot(`
      [
        {
          "advice": {
            "files": [
              {
                "name": "add_orders_note",
                "sql": "ALTER TABLE "orders" ADD COLUMN "note" varchar(20);
      ",
              },
              {
                "name": "fill_orders_note",
                "sql": "DO $batches$
      DECLARE
        page bigint := 0;
        pages bigint := (SELECT coalesce(max(pg_relation_size(relid)), pg_relation_size('"orders"'::regclass)) / current_setting('block_size')::int
          FROM pg_partition_tree('"orders"'::regclass));
      BEGIN
        WHILE page <= pages LOOP
          UPDATE "orders" SET "note" = /* the value */
            WHERE ctid >= format('(%s,0)', page)::tid AND ctid < format('(%s,0)', page + 1000)::tid AND "note" IS NULL;
          COMMIT;
          page := page + 1000;
        END LOOP;
      END
      $batches$;
      ",
              },
              {
                "name": "check_orders_note",
                "sql": "ALTER TABLE "orders" ADD CONSTRAINT "orders_note_not_null" CHECK ("note" IS NOT NULL) NOT VALID;
      ",
              },
              {
                "name": "validate_orders_note",
                "sql": "ALTER TABLE "orders" VALIDATE CONSTRAINT "orders_note_not_null";
      ",
              },
              {
                "name": "require_orders_note",
                "sql": "ALTER TABLE "orders" ALTER COLUMN "note" SET NOT NULL;
      ALTER TABLE "orders" DROP CONSTRAINT "orders_note_not_null";
      ",
              },
            ],
            "text": "In three releases: add it as optional, with code that fills it; fill the rows that are there, in batches; then require it. In the second file put the value of the old rows in place of the comment. A constant as DEFAULT would do as well, and at once",
          },
          "code": "required-column",
          "line": 1,
          "migration": "m1",
          "table": "orders",
          "text": "PostgreSQL refuses it as things stand (23502): the rows that are there have no value for it",
          "waived": null,
          "weight": "blocker",
        },
      ]
    `)
  })
})

describe('the server at this moment', () => {
  test('a transaction that has been open for long is told with who has it', () => {
    const longest = { ageMs: 2_280_000, application: 'reporting', role: 'shop', query: 'SELECT count(*) FROM orders', holds: [orders] }
    const now = live([table(orders, 200)], { open: [longest] })
    expect(shown(weighFile(now, [index]))).toMatchInlineSnapshot(`
      [
        "warning long-transaction: a transaction of \`reporting\` (user \`shop\`) has been open for 38 min: \`SELECT count(*) FROM orders\`; it uses \`orders\`, so this statement would wait for it, and everybody who needs \`orders\` would wait behind this statement",
        "note index-build: builds the index \`orders_total_idx\` from all 200 rows of \`orders\` (59 kB); nobody can write to it meanwhile",
      ]
    `)
    expect(weighFile(live([table(orders, 200)], { open: [{ ...longest, ageMs: 10 }] }), [index]).map(({ code }) => code)).toEqual([
      'index-build',
    ])
  })

  test('a disk without room for a second copy is a blocker', () => {
    const now = live([table(orders, 41_000_000)], { freeBytes: 5e9, replicas: [{ name: 'replica1', lagMs: 42_000 }] })
    expect(shown(weighFile(now, [rewrite]))).toMatchInlineSnapshot(`
      [
        "blocker rewrite: writes all 41,000,000 rows of \`orders\` (12 GB) anew; nobody can read or write it meanwhile",
        "blocker disk: needs about 12 GB more disk until it has ended, since what is written anew stands there twice, and 5.0 GB are free; a full disk stops the whole server",
        "warning replica-lag: the replica \`replica1\` is 42 s behind already, and what this writes of \`orders\` (12 GB) has to reach it as well; readers there see old data meanwhile",
      ]
    `)
  })

  test('what could not be seen is a note', () => {
    const now = live([table(orders, 200)], { notSeen: ['what other users run cannot be seen: the role lacks pg_read_all_stats'] })
    expect(shown(weighFile(now, [index]))).toMatchInlineSnapshot(`
      [
        "note index-build: builds the index \`orders_total_idx\` from all 200 rows of \`orders\` (59 kB); nobody can write to it meanwhile",
        "note not-seen: what other users run cannot be seen: the role lacks pg_read_all_stats",
      ]
    `)
  })
})

describe('statements that are dangerous at any size', () => {
  test.each([
    ["SET lock_timeout = '0'", 'blocker no-timeout'],
    ['SET lock_timeout TO 0', 'blocker no-timeout'],
    ["SET LOCAL lock_timeout = '0s'", 'blocker no-timeout'],
    ['SET statement_timeout = 0', 'warning no-timeout'],
    ["SET lock_timeout = '2s'", undefined],
    ['RESET lock_timeout', undefined],
    ['SET lock_timeout TO DEFAULT', undefined],
  ])('%s', (sql, expected) => {
    const found = weighFile(live([]), [statement(sql, null, [part('session setting', { table: null })])])
    expect(found.map(({ weight, code }) => `${weight} ${code}`)).toEqual(expected === undefined ? [] : [expected])
  })

  test('what nobody can read counts as breaking and says so', () => {
    const does = statement('DO $$ BEGIN EXECUTE x; END $$', null, [part('unknown', { table: null })], {
      unknown: 'it builds SQL while it runs',
    })
    expect(shown(weighFile(live([]), [does]))).toMatchInlineSnapshot(`
      [
        "warning unknown: nobody knows what it does before it runs: it builds SQL while it runs; read it yourself, and count it as breaking",
      ]
    `)
  })
})

test('an UPDATE with a condition writes nobody knows how many rows, so it blocks nothing', () => {
  const now = live([table(orders, 41_000_000)])
  const update = (sql: string) => weighFile(now, [statement(sql, 'RowExclusive', [part('update', { scans: [orders] })])])
  expect(shown([...update('UPDATE orders SET total = 1 WHERE id = 5'), ...update('UPDATE orders SET total = 1')])).toMatchInlineSnapshot(`
    [
      "warning large-write: writes the rows of \`orders\` that its condition finds, of 41,000,000 (12 GB); each of them is locked until the file has ended",
      "blocker large-write: writes all 41,000,000 rows of \`orders\` (12 GB); each of those rows is locked until the file has ended",
    ]
  `)
})

test('what is refused has no effect, so only that is told', () => {
  const refused = { ...index, fails: { sqlstate: '42703', why: 'orders has no column total' } }
  expect(shown(weighFile(live([table(orders, 41_000_000)]), [refused]))).toMatchInlineSnapshot(`
    [
      "blocker fails: PostgreSQL refuses it as things stand (42703): orders has no column total",
    ]
  `)
})

test('an index that is built CONCURRENTLY stands alone in its file', () => {
  const alone = statement('CREATE INDEX CONCURRENTLY i ON orders (total)', 'ShareUpdateExclusive', [
    part('create index concurrently', { name: 'i', scans: [orders], builds: [{ name: 'i', on: orders }] }),
  ])
  expect(weighFile(live([table(orders, 41_000_000)]), [alone])).toEqual([])
  expect(shown(weighFile(live([table(orders, 41_000_000)]), [alone, statement('SELECT 1', null, [part('read', { table: null })])])))
    .toMatchInlineSnapshot(`
    [
      "blocker not-alone: a statement with CONCURRENTLY cannot run among others: a file is one transaction, and PostgreSQL refuses it there (25001)",
    ]
  `)
})

test('an index of that name which an interrupted CONCURRENTLY left is told, with how it goes', () => {
  const again = statement('CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON orders (total)', 'ShareUpdateExclusive', [
    part('create index concurrently', { name: 'i' }),
  ])
  const catalogue: Catalogue = {
    ...unknownCatalogue(150_000),
    knows: 'everything',
    indexes: [
      {
        id: 2,
        schema: 'public',
        name: 'i',
        table: 1,
        method: 'btree',
        keys: ['total'],
        uses: ['total'],
        predicate: null,
        isUnique: false,
        isPrimary: false,
        isExclusion: false,
        isValid: false,
        isSpecial: false,
        parent: null,
      },
    ],
  }
  const file = { name: 'm1', content: Buffer.from(''), forecasts: [again], isOneTransaction: true }
  const found = weigh([file], { ...weighing(live([table(orders, 3)])), catalogue })
  expect(shown(found)).toEqual([
    'warning invalid-index: an index `i` is there already and is not valid, as an interrupted CONCURRENTLY leaves it: no query uses it, and IF NOT EXISTS would leave it so',
  ])
  expect(found[0]?.advice?.files).toEqual([{ name: 'drop_i', sql: 'DROP INDEX CONCURRENTLY "i";\n' }])
})

test('an enum that is made anew is told as that', () => {
  const made = statement('CREATE TYPE "Status_new" AS ENUM (\'A\')', null, [
    part('create type', { table: null, name: 'Status_new', isNew: true }),
  ])
  const change = statement('ALTER TABLE "orders" ALTER COLUMN "st" TYPE "Status_new" USING ("st"::text::"Status_new")', 'AccessExclusive', [
    part('change type', { column: 'st', from: '"Status"', to: '"Status_new"', rewrites: [orders] }),
  ])
  expect(shown(weighFile(live([table(orders, 41_000_000)]), [made, change]))).toMatchInlineSnapshot(`
    [
      "blocker enum-recreated: makes the list of values anew, for which it writes all 41,000,000 rows of \`orders\` (12 GB) anew; nobody can read or write it meanwhile",
    ]
  `)
})

test('with app-first the new application meets the old schema, and the old one is gone', () => {
  const add = statement('ALTER TABLE orders ADD COLUMN a int', 'AccessExclusive', [
    part('add column', {
      column: 'a',
      old: { kind: 'fails', why: 'x' },
      new: { kind: 'fails', why: 'it uses orders.a, which is not there before' },
    }),
  ])
  const file = { name: 'm1', content: Buffer.from(''), forecasts: [add], isOneTransaction: true }
  expect(shown(weigh([file], { ...weighing(live([table(orders, 3)])), order: 'app-first' }))).toMatchInlineSnapshot(`
    [
      "warning new-code-breaks: the new application starts before this has run, and fails until then: it uses orders.a, which is not there before",
    ]
  `)
})

test('the gravest come first, over all files', () => {
  const now = live([table(orders, 41_000_000), table(customer, 3)])
  const small = statement('CREATE INDEX ON customer (id)', 'Share', [
    part('create index', { table: customer, scans: [customer], builds: [{ name: null, on: customer }] }),
  ])
  const file = (name: string, forecast: typeof small) => ({ name, content: Buffer.from(''), forecasts: [forecast], isOneTransaction: true })
  expect(weigh([file('a', small), file('b', index)], weighing(now)).map(({ migration, weight }) => `${migration} ${weight}`)).toEqual([
    'b blocker',
    'a note',
  ])
})
