import fc from 'fast-check'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { captureChild } from '../../src/process/capture.ts'
import { childEnvironment } from '../../src/process/environment.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { detectPooler, libpqDialect, parseTargetUrl, pgDialect, prismaDialect, type TargetUrl } from '../../src/database/urls.ts'
import { createDatabase } from '../helpers/postgres.ts'

function parse(text: string): TargetUrl {
  const parsed = parseTargetUrl(text)
  if (parsed.kind === 'bad') throw new Error(parsed.why)
  return parsed.url
}

const settings = { applicationName: 'lockkeeper run 7', lockTimeoutMs: 2000, statementTimeoutMs: 900_000 }

describe('one URL in three dialects', () => {
  const url = parse(
    'postgresql://us%40er:p%3Ass%2Fw%25@db.example:5433/my%20shop?schema=shop&connection_limit=5&sslmode=require&options=-c%20a.b%3D1',
  )

  test("Prisma's keeps schema and connection_limit and adds the timeouts after the options that were there", () => {
    expect(prismaDialect(url, settings)).toBe(
      'postgresql://us%40er:p%3Ass%2Fw%25@db.example:5433/my%20shop?schema=shop&connection_limit=5&sslmode=require' +
        '&application_name=lockkeeper%20run%207&options=-c%20a.b%3D1%20-c%20lock_timeout%3D2000%20-c%20statement_timeout%3D900000',
    )
  })

  test("libpq's has no password, schema or connection_limit; the password stands in the passfile", () => {
    expect(libpqDialect(url, settings)).toEqual({
      conninfo:
        "host='db.example' port='5433' user='us@er' dbname='my shop' sslmode='require' application_name='lockkeeper run 7'" +
        " options='-c a.b=1 -c lock_timeout=2000 -c statement_timeout=900000'",
      passfile: '*:*:*:*:p\\:ss/w%\n',
    })
  })

  test("pg's gets fields", () => {
    expect(pgDialect(url, { applicationName: 'x' })).toEqual({
      host: 'db.example',
      port: 5433,
      user: 'us@er',
      password: 'p:ss/w%',
      database: 'my shop',
      application_name: 'x',
      options: '-c a.b=1 -c datestyle=ISO -c extra_float_digits=1 -c standard_conforming_strings=on',
      tls: { mode: 'require', ca: null, certificate: null, key: null },
    })
  })

  test('a socket is a directory in each', () => {
    const socket = parse('postgresql://app@localhost/shop?host=/var/run/postgresql')
    expect(prismaDialect(socket, { applicationName: 'x' })).toBe(
      'postgresql://app@localhost:5432/shop?sslmode=disable&host=%2Fvar%2Frun%2Fpostgresql&application_name=x',
    )
    expect(libpqDialect(socket, { applicationName: 'x' }).conninfo).toContain("host='/var/run/postgresql'")
    expect(pgDialect(socket, { applicationName: 'x' })).toMatchObject({ host: '/var/run/postgresql', tls: { mode: 'disable' } })
    expect(parse('postgresql://app@%2Ftmp/shop').host).toBe('/tmp')
  })

  test("sslaccept=strict verifies in each, and Prisma's sslcert is the authority", () => {
    const strict = parse('postgresql://app@db/shop?sslmode=require&sslaccept=strict&sslcert=/etc/ca.pem')
    expect(strict.tls).toEqual({ mode: 'verify-full', ca: '/etc/ca.pem', certificate: null, key: null })
    expect(libpqDialect(strict, { applicationName: 'x' }).conninfo).toContain("sslmode='verify-full' sslrootcert='/etc/ca.pem'")
    const bundle = libpqDialect(parse('postgresql://app@db/shop?sslmode=verify-full'), { applicationName: 'x' }, '/etc/bundle.pem')
    expect(bundle.conninfo).toContain("sslrootcert='/etc/bundle.pem'")
  })

  test("libpq's client certificate comes with a key", () => {
    expect(parse('postgres://app@db/shop?sslcert=/c.pem&sslkey=/k.pem&sslrootcert=/ca.pem').tls).toEqual({
      mode: 'prefer',
      ca: '/ca.pem',
      certificate: '/c.pem',
      key: '/k.pem',
    })
  })

  const words = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    .filter((text) => !/[\p{Cc}/]/u.test(text) && text.isWellFormed())
  // a URL's path cannot end in a dot or two: its parser takes them for steps, however they are written
  const parts = fc.record({
    user: words,
    password: words,
    database: words.filter((name) => !/^\.\.?$|[?#]/.test(name)),
    schema: words,
    options: words,
  })

  test('every user, password, database, schema and option survives into each dialect', () => {
    fc.assert(
      fc.property(parts, ({ user, password, database, schema, options }) => {
        const e = encodeURIComponent
        const text = `postgresql://${e(user)}:${e(password)}@db:5432/${e(database)}?schema=${e(schema)}&options=${e(options)}`
        const first = parse(text)
        expect(first).toMatchObject({ user, password, database, schema, options })
        const again = parse(prismaDialect(first, { applicationName: 'x' }))
        expect(again).toMatchObject({ user, password, database, schema, options, applicationName: 'x' })
        expect(pgDialect(first, { applicationName: 'x' })).toMatchObject({
          user,
          password,
          database,
          options: expect.stringContaining(`${options} -c `),
        })
        const { conninfo, passfile } = libpqDialect(first, { applicationName: 'x' })
        expect(readConninfo(conninfo)).toMatchObject({ user, dbname: database, options, application_name: 'x' })
        expect(passfile?.slice('*:*:*:*:'.length, -1).replace(/\\(.)/gu, '$1')).toBe(password)
      }),
    )
  })

  test('no text at all makes the parser throw', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => void parseTargetUrl(`postgresql://${text}`)))
    fc.assert(fc.property(fc.string(), fc.string(), (a, b) => void parseTargetUrl(`postgresql://u:${a}@h/d?${b}`)))
  })

  test('the server reads the lock timeout back through each dialect, and pg_dump takes the conninfo', async () => {
    const database = await createDatabase()
    try {
      const target = parse(`${database.url}?schema=public&connection_limit=3&options=-c%20work_mem%3D5MB`)
      const { tls: _, ...fields } = pgDialect(target, { applicationName: 'reads back', lockTimeoutMs: 1234 })
      const client = new pg.Client(fields)
      await client.connect()
      const { rows } = await client.query(
        "select current_setting('lock_timeout') as lock, current_setting('work_mem') as mem, current_setting('application_name') as name",
      )
      await client.end()
      expect(rows).toEqual([{ lock: '1234ms', mem: '5MB', name: 'reads back' }])
      const end = await captureChild({
        argv: ['pg_dump', '--schema-only', `--dbname=${libpqDialect(target, settings).conninfo}`],
        cwd: '/',
        env: childEnvironment(process.env, process.env['PATH'] ?? '', { PGPASSWORD: target.password ?? '' }, ['PGPASSWORD']),
        redactor: createRedactor([]),
      })
      expect(end).toMatchObject({ exitCode: 0, stderr: '' })
    } finally {
      await database.close()
    }
  })
})

test('a database name that looks like connection words stays a name', () => {
  const url = parse('postgresql://a@c/host%3Devil%20dbname%3Dx')
  expect(libpqDialect(url, { applicationName: 'x' }).conninfo).toContain("host='c' port='5432' user='a' dbname='host=evil dbname=x'")
})

describe('a pooler is recognised, and the direct address is named without credentials', () => {
  test.each([
    ['postgresql://a:secret@ep-cool-1-pooler.eu.aws.neon.tech/d', 'its host has -pooler in its name', 'ep-cool-1.eu.aws.neon.tech:5432/d'],
    [
      'postgresql://postgres.abcd:s@aws-0-eu.pooler.supabase.com:6543/postgres',
      "port 6543 is Supabase's transaction pooler",
      'db.abcd.supabase.co:5432/postgres',
    ],
    ['postgresql://a@db:6432/d', "port 6432 is PgBouncer's", 'db:5432/d'],
    ['postgres://a:b@pooled.db.prisma.io:5432/postgres', 'its host is the pooler of Prisma Postgres', 'db.prisma.io:5432/postgres'],
    ['postgres://a@shop.proxy-abc123.eu-west-1.rds.amazonaws.com/d', 'its host is an RDS Proxy', null],
    ['postgresql://a@db/d?pgbouncer=true', 'it says pgbouncer=true', null],
  ])('%s', (text, reason, direct) => expect(detectPooler(parse(text))).toEqual({ why: reason, direct }))

  test('a direct URL is none', () => expect(detectPooler(parse('postgresql://a@db.abcd.supabase.co:5432/d?pgbouncer=false'))).toBeNull())
})

/** The way libpq reads its words. */
function readConninfo(text: string): Record<string, string> {
  const words = text.matchAll(/(\w+)='((?:[^'\\]|\\.)*)'/gsu)
  return Object.fromEntries([...words].map(([, name = '', value = '']) => [name, value.replace(/\\(.)/gsu, '$1')]))
}
