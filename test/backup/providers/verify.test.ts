import { cpSync, openSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync, writeSync, closeSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dump } from '../../../src/backup/providers/pg-dump.ts'
import { MANIFEST, readManifest, sealFiles, type Manifest } from '../../../src/backup/manifest.ts'
import { copyRowCounter } from '../../../src/backup/providers/verify.ts'
import { createOwnedDatabase, dumpRequest, fillShop, inDatabase, temporaryDirectory, verify } from '../../helpers/backup.ts'

let directory: string
let original: string
let manifest: Manifest
let largest: string
const closing: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  const database = await createOwnedDatabase()
  closing.push(database.close)
  await fillShop(database.url)
  const temporary = await temporaryDirectory()
  closing.push(temporary.remove)
  directory = temporary.path
  const end = await dump(await dumpRequest(database.url, directory))
  if (end.kind !== 'done') throw new Error(JSON.stringify(end))
  original = end.path
  manifest = end.manifest
  largest = [...manifest.files].sort((a, b) => b.bytes - a.bytes)[0]?.path ?? ''
})
afterAll(async () => {
  for (const close of closing.toReversed()) await close()
})

let copies = 0
function copy(): string {
  const path = join(directory, `copy-${copies++}`)
  cpSync(original, path, { recursive: true })
  return path
}

function flip(file: string, at: number) {
  const bytes = readFileSync(file)
  const byte = bytes[at]
  if (byte === undefined) throw new Error(`${file} is shorter than ${at} bytes`)
  const handle = openSync(file, 'r+')
  writeSync(handle, Buffer.of(byte ^ 0x55), 0, 1, at)
  closeSync(handle)
}

/** What somebody leaves who damages the files and writes fitting sums: only the decode can tell. */
async function reseal(path: string) {
  const files = await sealFiles(path, new AbortController().signal)
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  writeFileSync(join(path, MANIFEST), JSON.stringify({ ...manifest, files, bytes }))
}

test('a whole backup is verified, and says what it read', async () => {
  const reports: string[] = []
  const end = await verify(original, directory, { recorded: manifest, report: (details) => reports.push(details) })
  expect(end).toMatchObject({ kind: 'verified', manifest })
  expect(reports).toContain('reading table 4 of 4')
  expect(reports.at(-1)).toBe('counting the migrations in it')
})

describe('the checksums find', () => {
  test('a truncated file', async () => {
    const path = copy()
    truncateSync(join(path, largest), 1000)
    const size = statSync(join(original, largest)).size
    expect(await verify(path, directory)).toEqual({ kind: 'damaged', reason: `The file ${largest} has 1000 bytes instead of ${size}.` })
  })

  test('an emptied file', async () => {
    const path = copy()
    truncateSync(join(path, largest), 0)
    const size = statSync(join(original, largest)).size
    expect(await verify(path, directory)).toEqual({ kind: 'damaged', reason: `The file ${largest} has 0 bytes instead of ${size}.` })
  })

  test('a missing file', async () => {
    const path = copy()
    rmSync(join(path, largest))
    expect(await verify(path, directory)).toEqual({ kind: 'damaged', reason: `The file ${largest} is missing.` })
  })

  test('a file that does not belong there', async () => {
    const path = copy()
    writeFileSync(join(path, '9999.dat.gz'), '')
    expect(await verify(path, directory)).toEqual({ kind: 'damaged', reason: 'The file 9999.dat.gz does not belong to this backup.' })
  })

  test.each([0, 3, 20_000])('one changed byte at %i of the data', async (at) => {
    const path = copy()
    flip(join(path, largest), at)
    expect(await verify(path, directory)).toEqual({
      kind: 'damaged',
      reason: `The file ${largest} has changed since the backup was made (SHA-256).`,
    })
  })

  test('one changed byte in the table of contents, which pg_restore may not notice', async () => {
    const path = copy()
    flip(join(path, 'toc.dat'), 1500)
    expect(await verify(path, directory)).toEqual({
      kind: 'damaged',
      reason: 'The file toc.dat has changed since the backup was made (SHA-256).',
    })
  })
})

describe('the decode finds, with sums that fit,', () => {
  test('a truncated file', async () => {
    const path = copy()
    truncateSync(join(path, largest), 100_000)
    await reseal(path)
    expect(await verify(path, directory)).toMatchObject({
      kind: 'damaged',
      reason: 'pg_restore could not read it whole: it ended with exit code 1.',
      excerpt: expect.stringContaining('could not close data file'),
    })
  })

  test('a changed byte', async () => {
    const path = copy()
    flip(join(path, largest), 100_000)
    await reseal(path)
    expect(await verify(path, directory)).toMatchObject({
      kind: 'damaged',
      reason: 'pg_restore could not read it whole: it ended with exit code 1.',
    })
  })

  test('a missing file', async () => {
    const path = copy()
    rmSync(join(path, largest))
    await reseal(path)
    expect(await verify(path, directory)).toMatchObject({
      kind: 'damaged',
      excerpt: expect.stringContaining('could not open input file'),
    })
  })
})

test('every data file and every large object is decoded, whichever pg_restore it was dealt to', async () => {
  const database = await createOwnedDatabase()
  closing.push(database.close)
  await fillShop(database.url, 2_000)
  await inDatabase(database.url, `select lo_from_bytea(0, repeat('a', 50000)::bytea)`, `select lo_from_bytea(0, 'small'::bytea)`)
  const temporary = await temporaryDirectory()
  closing.push(temporary.remove)
  const end = await dump(await dumpRequest(database.url, temporary.path))
  if (end.kind !== 'done') throw new Error(JSON.stringify(end))
  expect(await verify(end.path, temporary.path)).toMatchObject({ kind: 'verified' })
  const data = end.manifest.files.map(({ path }) => path).filter((path) => path.includes('.dat'))
  expect(data.filter((path) => path.startsWith('blob_'))).toHaveLength(2)
  expect(data.length).toBeGreaterThanOrEqual(6)
  for (const [at, gone] of data.entries()) {
    const path = join(temporary.path, `without-${at}`)
    cpSync(end.path, path, { recursive: true })
    rmSync(join(path, gone))
    await reseal(path)
    expect({ gone, ...(await verify(path, temporary.path)) }).toMatchObject({
      gone,
      kind: 'damaged',
      reason: 'pg_restore could not read it whole: it ended with exit code 1.',
    })
  }
  expect(readdirSync(temporary.path).filter((name) => name.startsWith('decode-'))).toEqual([])
})

test('what each pg_restore said stands in the log in one piece', async () => {
  const spool = join(directory, 'decode-log')
  await verify(original, directory, { spool })
  const lines = readFileSync(spool, 'utf8').split('\n')
  expect(lines.filter((line) => line.startsWith('pg_restore: processing data for table ')).toSorted()).toEqual([
    'pg_restore: processing data for table "public._prisma_migrations"',
    'pg_restore: processing data for table "public.customers"',
    'pg_restore: processing data for table "public.odd name; --"',
    'pg_restore: processing data for table "public.orders"',
  ])
})

describe('an emptied file that pg_restore reads as nothing', () => {
  test('is found though its sum fits', async () => {
    const path = copy()
    truncateSync(join(path, largest), 0)
    await reseal(path)
    expect(await verify(path, directory)).toEqual({ kind: 'damaged', reason: `The file ${largest} is empty.` })
  })
})

describe('the manifest', () => {
  test('that lacks is damage', async () => {
    const path = copy()
    rmSync(join(path, MANIFEST))
    expect(await verify(path, directory)).toMatchObject({
      kind: 'damaged',
      reason: expect.stringMatching(/^The manifest cannot be read: ENOENT/),
    })
  })

  test.each(['', '{', '[]', '{"version":1}'])('with the content %j is damage', async (text) => {
    const path = copy()
    writeFileSync(join(path, MANIFEST), text)
    expect(await verify(path, directory)).toMatchObject({
      kind: 'damaged',
      reason: expect.stringMatching(/^The manifest cannot be read: /),
    })
  })

  test('that names a path outside the backup is damage', async () => {
    const path = copy()
    writeFileSync(
      join(path, MANIFEST),
      JSON.stringify({ ...manifest, files: [{ path: '../../etc/passwd', bytes: 1, sha256: 'a'.repeat(64) }] }),
    )
    expect((await readManifest(path)).kind).toBe('unreadable')
  })

  test('that was recorded differently is damage', async () => {
    expect(await verify(original, directory, { recorded: { ...manifest, migrations: 8 } })).toEqual({
      kind: 'damaged',
      reason: 'The manifest is not the one that was recorded when the backup was made.',
    })
  })

  test.each([
    [8, 'It holds 9 rows of _prisma_migrations; the database had 8 when it was dumped.'],
    [null, 'It holds 9 rows of _prisma_migrations; the database had no such table when it was dumped.'],
  ])('that counted %s migrations does not fit nine', async (migrations, reason) => {
    const path = copy()
    writeFileSync(join(path, MANIFEST), JSON.stringify({ ...manifest, migrations }))
    expect(await verify(path, directory)).toEqual({ kind: 'damaged', reason })
  })
})

test('a verification that is aborted says so', async () => {
  expect(await verify(original, directory, { signal: AbortSignal.abort() })).toEqual({ kind: 'aborted' })
})

test('rows are counted between COPY and its end, whatever they hold', () => {
  const counter = copyRowCounter()
  for (const line of [
    '-- COPY x FROM stdin;',
    'COPY public.t (a) FROM stdin;',
    '\\\\.',
    'COPY x (a) FROM stdin;',
    '',
    '\\.',
    'after',
    'SELECT 1;',
  ])
    counter.take(line)
  expect(counter.rows()).toBe(3)
})
