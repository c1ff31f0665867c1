import fc from 'fast-check'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { parseTargetUrl, prismaDialect, type TargetUrl } from '../../src/database/urls.ts'

const why = (text: string) => {
  const parsed = parseTargetUrl(text)
  return parsed.kind === 'bad' ? parsed.why : 'it can be used'
}

function parse(text: string): TargetUrl {
  const parsed = parseTargetUrl(text)
  if (parsed.kind === 'bad') throw new Error(parsed.why)
  return parsed.url
}

const SECRET = 'hunter2canary'

describe('what is no URL of PostgreSQL is called by its name', () => {
  test.each([
    ['', 'it is empty'],
    [' \n', 'it is empty'],
    ['shop', 'it does not start with postgresql://'],
    [`"postgresql://u:${SECRET}@h/d"`, 'it stands in quotation marks; leave them out'],
    [`'postgresql://u:${SECRET}@h/d'`, 'it stands in quotation marks; leave them out'],
    [`“postgresql://u:${SECRET}@h/d”`, 'it stands in quotation marks; leave them out'],
    [`DATABASE_URL=postgresql://u:${SECRET}@h/d`, 'it begins with the name of a variable; only what follows the = belongs there'],
    [`export DATABASE_URL="postgres://u:${SECRET}@h/d"`, 'it begins with the name of a variable; only what follows the = belongs there'],
    ['${DATABASE_URL}', 'it is the name of a variable instead of its value'],
    ['$DATABASE_URL', 'it is the name of a variable instead of its value'],
    [`psql 'postgresql://u:${SECRET}@h/d'`, 'it is a command line of psql; only the URL in it belongs there'],
    [
      `host=h user=u password=${SECRET} dbname=d`,
      'it is a list of words such as host=…; write it as postgresql://user:password@host:5432/database',
    ],
    ['jdbc:postgresql://h/d?user=u', 'it is a URL of JDBC; write it as postgresql://user:password@host:5432/database'],
    [
      `prisma://accelerate.prisma-data.net/?api_key=${SECRET}`,
      "it leads to Prisma's proxy, through which nothing can be backed up; use the direct URL, which begins with postgres://",
    ],
    [
      `prisma+postgres://localhost:51213/?api_key=${SECRET}`,
      "it leads to Prisma's proxy, through which nothing can be backed up; use the direct URL, which begins with postgres://",
    ],
    ['postgresql+psycopg2://u@h/d', 'its scheme names a driver; write postgresql://'],
    ['POSTGRES://u@h/d', 'its scheme is in capital letters; write postgresql://'],
    ['postgresql:u@h/d', 'its scheme is not followed by two slashes; write postgresql://'],
    ['mysql://u@h/d', 'it leads to MySQL; only PostgreSQL can be migrated'],
    ['file:./dev.db', 'it leads to SQLite; only PostgreSQL can be migrated'],
    ['mongodb+srv://u@h/d', 'it leads to another kind of database; only PostgreSQL can be migrated'],
  ])('%s', (text, reason) => expect(why(text)).toBe(reason))
})

describe('where readers would disagree about the login or the place, the part and its spelling are named', () => {
  test.each([
    [`postgresql://u:${SECRET}#x@h/d`, 'a # stands before the @; in a user or password it is written %23'],
    [`postgresql://u:${SECRET}/x@h/d`, 'a / stands before the @; in a user or password it is written %2F'],
    [`postgresql://u:${SECRET}?x@h/d`, 'a ? stands before the @; in a user or password it is written %3F'],
    ['postgresql://u:123/4@h/d', 'a / stands before the @; in a user or password it is written %2F'],
    [`postgresql://u:${SECRET}@x@h/d`, 'it has two @ before its host; in a user or password an @ is written %40'],
    [`postgresql://u:${SECRET}%@h/d`, 'it has a % that is not followed by two hexadecimal digits; a % in a password is written %25'],
    [`postgresql://u:${SECRET}%ff@h/d`, 'its percent-encoding does not give UTF-8'],
    [`postgresql://u:${SECRET}%00@h/d`, 'it holds a line break, a tab or another control character'],
    [`postgresql://u:${SECRET}\n@h/d`, 'it holds a line break, a tab or another control character'],
    ['postgresql://u:[YOUR-PASSWORD]@h/d', 'its password is still the placeholder of a template'],
    ['\u200bpostgresql://u@h/d', 'it holds an invisible character, as copies from a chat or a page bring along; type it anew'],
    ['postgresql://u@h/d\u200b', 'it holds an invisible character, as copies from a chat or a page bring along; type it anew'],
    [`postgresql://u:${SECRET}\u00a0@h/d`, 'it holds an invisible character, as copies from a chat or a page bring along; type it anew'],
    ['postgresql://u@h/d#e', 'it holds a #, which not every reader takes for the same; it is written %23'],
    ['postgresql://', 'it names no host'],
    ['postgresql:///', 'it names no host'],
    ['postgresql://h/d', 'it names no user'],
    ['postgresql://h/d?application_name=a@b', 'it names no user'],
    ['postgresql://u@h', 'it names no database'],
    ['postgresql://u@h/', 'it names no database'],
    ['postgresql://u@h/d/e', 'its path has more than one part; the path is the name of the database'],
    ['postgresql://u@h/d%2Fe', 'the name of its database has a /, ? or #, which not every reader takes for the same'],
    ['postgresql://u@h/..', 'the name of its database is taken for a step of a path'],
    ['postgresql://u@h/d;sslmode=require', 'a parameter stands in the name of its database; before the first one stands a ?, as it is'],
    ['postgresql://u@h/d&sslmode=require', 'a parameter stands in the name of its database; before the first one stands a ?, as it is'],
    [
      'postgresql://u@h./d?sslmode=verify-full',
      "its host ends in a dot, which not every reader leaves out when it compares the server's certificate; leave it out",
    ],
    ['postgresql://u@a,b/d', 'it names several hosts; name the one that is written to'],
    ['postgresql://u@a:5432,b:5433/d', 'it names several hosts; name the one that is written to'],
    ['postgresql://u@/d?host=a,b', 'it names several hosts; name the one that is written to'],
    ['postgresql://u@h/d?port=5432,5433', 'it names several hosts; name the one that is written to'],
    ['postgresql://u@a/d?host=b', 'it names two hosts, before the question mark and as its parameter host; name one'],
    ['postgresql://u@h:1/d?port=2', 'it names two ports, before the question mark and as its parameter port; name one'],
    ['postgresql://u@h/d?user=v', 'it names two users, before the question mark and as its parameter user; name one'],
    [
      `postgresql://u:other@h/d?password=${SECRET}`,
      'it has two passwords, before the question mark and as its parameter password; leave one',
    ],
    ['postgresql://u@h/d?dbname=e', 'it names two databases, before the question mark and as its parameter dbname; name one'],
    ['postgresql://u@h:5432x/d', 'its port is not a number'],
    ['postgresql://u@h:0/d', 'its port is not between 1 and 65535'],
    ['postgresql://u@h:65536/d', 'its port is not between 1 and 65535'],
    ['postgresql://u@::1/d', 'an address of IPv6 has to stand in [ ]'],
    ['postgresql://u@[::1/d', 'its host has a [ without its ]'],
    ['postgresql://u@[db.example]/d', 'what stands in its [ ] is no address of IPv6'],
    ['postgresql://u@[fe80::1%25eth0]/d', 'its address names a network interface (%), which not every reader takes'],
    ['postgresql://u@bücher.example/d', 'its host has letters outside of ASCII; write it as its xn-- name'],
    ['postgresql://u@d b/d', 'its host is neither a name nor an address'],
    ['postgresql://u@%40abstract/d', 'its host is an abstract socket, which libpq alone opens; name the directory of a socket'],
    ['postgresql://u@/d?host=./run', 'its host is neither a name, an address nor the absolute directory of a socket'],
    ['postgresql://u@/d?host=/run/.s.PGSQL.5432', 'its host is a socket itself; name the directory that it is in'],
    [`postgresql://u@/d?host=/cloudsql/${'a'.repeat(90)}`, 'the name of its socket has 114 bytes, and 107 is the most that a system takes'],
  ])('%s', (text, reason) => expect(why(text)).toBe(reason))
})

describe('a parameter that one reader obeys and another one does not is named', () => {
  const alone = (name: string) => `its parameter ${name} binds libpq alone, and Prisma would connect without it; leave it out`
  test.each([
    ['hostaddr=10.0.0.1', 'its parameter hostaddr is read by libpq alone; write the address as the host'],
    ['service=shop', 'its parameter service names a file that libpq alone reads; write host, user and database into the URL'],
    ['passfile=/srv/pgpass', 'its parameter passfile names a file that libpq alone reads; write the password into the URL'],
    [
      'sslidentity=/c.p12',
      'its parameter sslidentity names a PKCS#12 file, which pg_dump cannot read; use a role that needs no certificate',
    ],
    [`sslpassword=${SECRET}`, 'its parameter sslpassword would be seen among the arguments of pg_dump; use a key without a passphrase'],
    ['sslcrl=/crl.pem', alone('sslcrl')],
    ['require_auth=scram-sha-256', alone('require_auth')],
    ['replication=database', 'its parameter replication asks for another kind of session; leave it out'],
    ['currentSchema=shop', "its parameter currentSchema is JDBC's; write schema"],
    ['search_path=shop', 'its parameter search_path is read by nobody; write schema, or options=-c%20search_path%3D…'],
    [
      'sslmode=allow',
      'its sslmode=allow is known to libpq alone; write sslmode=prefer, which also connects without TLS where there is none',
    ],
    ['sslmode=maybe', 'its sslmode is none of disable, prefer, require, verify-ca and verify-full'],
    ['sslmode=', 'its parameter sslmode is empty'],
    ['ssl=yes', 'its parameter ssl is neither true nor false; write sslmode=require or sslmode=disable'],
    ['ssl=true&sslmode=disable', 'its parameters ssl and sslmode contradict each other'],
    ['sslmode=require&sslmode=disable', 'its parameter sslmode stands there twice, with different values'],
    ['sslmode=require&sslrootcert=system', 'its sslrootcert=system needs sslmode=verify-full'],
    [
      'sslmode=verify-full&sslrootcert=ca.pem',
      'its parameter sslrootcert is not an absolute path, and each reader starts from another directory',
    ],
    [
      'sslmode=verify-full&sslrootcert=/a+b.pem',
      'its parameter sslrootcert has a +, which not every reader takes for the same; write %2B or %20',
    ],
    ['sslkey=/k.pem', 'its parameter sslkey comes without sslcert'],
    ['sslaccept=yes', 'its parameter sslaccept is none of strict, accept_invalid_certs'],
    ['sslmod=require', 'it has a parameter that nobody knows; sslmode is meant, perhaps'],
    ['SSLMODE=require', 'it has a parameter that nobody knows; sslmode is meant, perhaps'],
    ['conection_limit=1', 'it has a parameter that nobody knows; connection_limit is meant, perhaps'],
    ['tls=true', 'it has a parameter about TLS that nobody reads; write sslmode, and sslrootcert for an authority'],
    ['ssl_ca=/ca.pem', 'it has a parameter about TLS that nobody reads; write sslmode, and sslrootcert for an authority'],
    ['trustServerCertificate=true', 'it has a parameter about TLS that nobody reads; write sslmode, and sslrootcert for an authority'],
    ['useSSL=true', 'it has a parameter about TLS that nobody reads; write sslmode, and sslrootcert for an authority'],
    ['prt=5433', 'it has a parameter that nobody knows; port is meant, perhaps'],
    ['password=', 'its parameter password is empty'],
    ['connect_timeout=10s', 'its parameter connect_timeout is not a whole number'],
    ['connect_timeout=-1', 'its parameter connect_timeout is not a whole number'],
    ['connection_limit=many', 'its parameter connection_limit is not a whole number'],
    ['pgbouncer', 'a parameter has no value; it is written name=value'],
    ['pgbouncer=1', 'its parameter pgbouncer is none of true, false'],
    ['schema=', 'its parameter schema is empty'],
    ['target_session_attrs=standby', 'its parameter target_session_attrs is none of any, read-write, primary'],
    ['channel_binding=yes', 'its parameter channel_binding is none of disable, prefer, require'],
    ['gssencmode=require', 'its gssencmode=require binds libpq alone, and Prisma would connect without it; leave it out'],
    ['gssencmode=always', 'its parameter gssencmode is none of disable, prefer'],
    ['keepalives_idle=soon', 'its parameter keepalives_idle is not a whole number'],
    ['sslkeylogfile=/keys', alone('sslkeylogfile')],
    [`oauth_client_secret=${SECRET}`, alone('oauth_client_secret')],
    ['sslnegotiation=direct', 'its sslnegotiation=direct needs sslmode=require, verify-ca or verify-full'],
    ['sslnegotiation=direct&sslmode=prefer', 'its sslnegotiation=direct needs sslmode=require, verify-ca or verify-full'],
    ['schema="shop"', 'the value of its parameter schema stands in quotation marks; leave them out'],
    ["application_name=x&schema='shop'", 'the value of its parameter schema stands in quotation marks; leave them out'],
    [`schema=${'é'.repeat(32)}`, 'the name of its schema has 64 bytes, and 63 is the most that PostgreSQL takes'],
    ['schema=shop?sslmode=require', 'another parameter stands in the value of schema; between two stands an &, as it is'],
    ['schema=shop;sslmode=require', 'another parameter stands in the value of schema; between two stands an &, as it is'],
    ['schema=shop%26sslmode=require', 'another parameter stands in the value of schema; between two stands an &, as it is'],
    ['who=knows;sslmode=require', 'a parameter stands in the value of another one; between two stands an &, as it is'],
    ['connection_limit=5?pool_timeout=0', 'another parameter stands in the value of connection_limit; between two stands an &, as it is'],
    [`x=${SECRET}&x=y`, 'a parameter stands there twice, with different values'],
  ])('%s', (parameters, reason) => expect(why(`postgresql://u@h/d?${parameters}`)).toBe(reason))
})

describe('what is written differently and means the same leads to the same place', () => {
  const place = { host: 'h', port: 5432, user: 'u', password: 'p', database: 'd' }
  test.each([
    ['postgres://u:p@h/d', place],
    ['postgresql://u:p@h:/d', place],
    [' postgresql://u:p@h/d\n', place],
    ['postgresql:///d?host=h&user=u&password=p', place],
    ['postgresql://h?user=u&password=p&dbname=d&port=5432', place],
    ['postgresql://u:p@h:5432/d?host=h&port=5432&user=u&dbname=d', place],
    ['postgresql://u:@h/d', { ...place, password: null }],
    ['postgresql://u:p:q@h/d', { ...place, password: 'p:q' }],
    ['postgresql://u:p+q@h/d', { ...place, password: 'p+q' }],
    ['\ufeffpostgresql://u:p@h/d', place],
    ['postgresql://u:p%E2%80%8B@h/d', { ...place, password: 'p\u200b' }],
    ['postgresql://u:p q@h/d', { ...place, password: 'p q' }],
    ['postgresql://u:p@[::1]:5433/d', { ...place, host: '::1', port: 5433 }],
    ['postgresql://u:p@/d?host=/cloudsql/a:b:c', { ...place, host: '/cloudsql/a:b:c' }],
    ['postgresql://u:p@localhost/d?host=/cloudsql/a:b:c', { ...place, host: '/cloudsql/a:b:c' }],
    ['postgresql://u:p@%2Ftmp:5433/d', { ...place, host: '/tmp', port: 5433 }],
    ['postgresql:///d?host=/tmp&user=me@corp', { ...place, host: '/tmp', user: 'me@corp', password: null }],
  ])('%s', (text, expected) => expect(parse(text)).toMatchObject(expected))
})

test.each([
  'postgresql://postgres.abcd:pw@aws-0-eu-central-1.pooler.supabase.com:5432/postgres',
  'postgres://postgres:pw@db.abcd.supabase.co:5432/postgres?sslmode=require&supa=base-pooler.x',
  'postgresql://owner:npg_pw@ep-cool-1.eu-central-1.aws.neon.tech/neondb?sslmode=require&channel_binding=require',
  'postgresql://owner:pw@ep-cool-1.eu-central-1.aws.neon.tech/neondb?options=endpoint%3Dep-cool-1',
  'postgres://user%40server:pw@server.postgres.database.azure.com:5432/shop?sslmode=require',
  'postgres://shop:pw@shop.abc.eu-west-1.rds.amazonaws.com:5432/shop?sslmode=verify-full&sslrootcert=/etc/rds.pem',
  'postgresql://shop:pw@localhost/shop?host=/cloudsql/project:region:instance&schema=public',
  'postgresql://doadmin:pw@db-do-user-1-0.b.db.ondigitalocean.com:25060/defaultdb?sslmode=require',
  'postgresql://postgres:postgres@db:5432/app?schema=public&connection_limit=5&pool_timeout=15&socket_timeout=15',
  'postgresql://root:pw@free-tier.cockroachlabs.cloud:26257/defaultdb?sslmode=verify-full&options=--cluster%3Dshop-1',
])('a provider writes it so: %s', (text) => expect(why(text)).toBe('it can be used'))

describe('TLS is what the URL asks for, by whichever reader it was written', () => {
  const none = { ca: null, certificate: null, key: null }
  test.each([
    ['', { ...none, mode: 'prefer' }, ''],
    ['sslmode=disable', { ...none, mode: 'disable' }, 'sslmode=disable'],
    ['ssl=true', { ...none, mode: 'require' }, 'sslmode=require'],
    ['ssl=0', { ...none, mode: 'disable' }, 'sslmode=disable'],
    ['sslmode=no-verify', { ...none, mode: 'require' }, 'sslmode=require&sslmode=no-verify'],
    [
      'sslmode=require&sslrootcert=/ca',
      { ...none, mode: 'verify-ca', ca: '/ca' },
      'sslmode=require&sslmode=verify-ca&sslaccept=strict&sslcert=%2Fca&sslrootcert=%2Fca',
    ],
    ['sslmode=verify-full', { ...none, mode: 'verify-full' }, 'sslmode=require&sslmode=verify-full&sslaccept=strict'],
    ['sslrootcert=system', { ...none, mode: 'verify-full' }, 'sslmode=require&sslmode=verify-full&sslaccept=strict'],
    ['sslaccept=strict', { ...none, mode: 'verify-full' }, 'sslmode=require&sslmode=verify-full&sslaccept=strict'],
    ['sslmode=require&sslcert=/ca', { ...none, mode: 'require', ca: '/ca' }, 'sslmode=require'],
    [
      'sslmode=verify-full&sslrootcert=/ca&sslcert=/c&sslkey=/k',
      { mode: 'verify-full', ca: '/ca', certificate: '/c', key: '/k' },
      'sslmode=require&sslmode=verify-full&sslaccept=strict&sslrootcert=%2Fca&sslcert=%2Fc&sslkey=%2Fk',
    ],
  ])('%s', (parameters, tls, forPrisma) => {
    const url = parse(`postgresql://u@h/d?${parameters}`)
    expect(url.tls).toEqual(tls)
    const given = prismaDialect(url, { applicationName: 'x' })
    expect(given).toBe(`postgresql://u@h:5432/d?${forPrisma}${forPrisma === '' ? '' : '&'}application_name=x`)
    // what Prisma is given is read back, to see what arrives of it; it knows no verification but the full one
    expect(parse(given).tls.mode).toBe(tls.mode === 'verify-ca' ? 'verify-full' : tls.mode)
  })
})

test('a socket has no TLS, whatever is asked for, as libpq and the server have it', () => {
  const url = parse('postgresql://u@/d?host=/tmp&sslmode=verify-full&sslrootcert=/ca.pem')
  expect(url.tls.mode).toBe('disable')
  expect(prismaDialect(url, { applicationName: 'x' })).toBe(
    'postgresql://u@localhost:5432/d?sslmode=disable&host=%2Ftmp&application_name=x',
  )
})

test('what is meant as it is written stays so, and a long wait is no short one', () => {
  expect(parse("postgresql://u@h/d?options=-c%20a%3D'b'&application_name='x'").options).toBe("-c a='b'")
  expect(parse('postgresql://u@h./d?sslmode=require').host).toBe('h.')
  expect(parse('postgresql://u@h/d?sslnegotiation=direct&sslrootcert=system').tls.mode).toBe('verify-full')
  expect(parse('postgresql://u@h/d?connect_timeout=31536000').connectTimeoutMs).toBe(2_147_483_647)
})

test("what would end a migration by the client's clock is not passed on, and what Prisma alone reads is", () => {
  const url = parse(
    'postgresql://u@h/d?socket_timeout=5&query_timeout=1000&pool_timeout=3&statement_cache_size=0&connect_timeout=7&who=knows',
  )
  expect(prismaDialect(url, { applicationName: 'x' })).toBe(
    'postgresql://u@h:5432/d?pool_timeout=3&statement_cache_size=0&connect_timeout=7&who=knows&application_name=x',
  )
  expect(url.connectTimeoutMs).toBe(7000)
})

describe('whatever is accepted is handed on so that each reader takes it apart as it was understood', () => {
  const pieces = [
    'u',
    'é',
    ' ',
    '%20',
    '%40',
    '%2F',
    '%3A',
    '%25',
    '%',
    ':',
    '@',
    '/',
    '?',
    '#',
    '+',
    ',',
    ';',
    '=',
    '&',
    '[',
    ']',
    "'",
    '"',
    '\\',
    '.',
    '..',
    '0',
    '^',
    '|',
    '{',
    '`',
    '<',
  ]
  const word = fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 4 }).map((some) => some.join(''))
  const near = (usual: readonly string[]) => fc.oneof({ arbitrary: fc.constantFrom(...usual), weight: 4 }, { arbitrary: word, weight: 1 })
  const urls = fc
    .tuple(
      near(['u', 'us er', 'u%40x', 'é']),
      near(['', ':p', ':p:q', ':p%2Fq%25', ':%C3%A9']),
      near(['@h', '@localhost', '@[::1]', '@%2Ftmp', '@', '']),
      near(['', ':5433', ':']),
      near(['', '/', '/d', '/d%20e', '/d+e', "/d'e", '/d@e%3A', '/%25d']),
      near([
        '',
        '?',
        '?sslmode=require',
        '?host=/tmp',
        '?user=u&password=p%40',
        '?port=5433&dbname=d',
        '?options=-c%20a%3Db',
        '?schema=s+s',
      ]),
    )
    .map((parts) => `postgresql://${parts.join('')}`)

  test('and what is refused is refused without a piece of it', () => {
    const canary = fc.constantFrom(
      'canary',
      ':canary',
      'u:canary@',
      '?canary',
      '&canary=',
      '#canary',
      '/canary',
      '=canary',
      '%canary',
      '[canary]',
      'sslmode=canary',
      'canary@canary',
    )
    const texts = fc.tuple(urls, fc.nat(), canary).map(([text, at, word]) => {
      const place = at % (text.length + 1)
      return text.slice(0, place) + word + text.slice(place)
    })
    fc.assert(
      fc.property(texts, (text) => {
        expect(why(text)).not.toContain('canary')
      }),
      { numRuns: 3_000 },
    )
  })

  test('through pg as a driver adapter of Prisma has it, through our own reading, and by the words for libpq', () => {
    let accepted = 0
    fc.assert(
      fc.property(urls, (text) => {
        const parsed = parseTargetUrl(text)
        if (parsed.kind === 'bad') return
        accepted++
        const { host, port, user, password, database, schema, options } = parsed.url
        const place = { host, port, user, database }
        const given = prismaDialect(parsed.url, { applicationName: 'x' })
        expect(parse(given)).toMatchObject({ ...place, password, schema, options })
        const client = new pg.Client({ connectionString: given })
        expect({ host: client.host, port: client.port, user: client.user, database: client.database }).toEqual(place)
        expect(client.password === '' ? null : client.password).toBe(password)
      }),
      { numRuns: 3_000 },
    )
    expect(accepted).toBeGreaterThan(300)
  })
})
