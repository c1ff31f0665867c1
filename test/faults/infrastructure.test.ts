import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startWorkspace } from '../../playground/server/workspace.ts'
import { shopDatabase } from '../helpers/sample.ts'
import { applied, query } from '../helpers/target.ts'
import { canaryPassword, formsOf } from './canary.ts'
import { smallDisk } from './disk.ts'
import { startServer } from './server.ts'

test('a server that crashes keeps what was committed and is found under the same address again', async () => {
  const server = await startServer()
  onTestFinished(server.close)
  const original = await shopDatabase({ pending: 0 })
  onTestFinished(original.close)
  const database = await server.create({ copyOf: original.url })
  expect(await applied(database.url)).toEqual(await applied(original.url))
  await query(database.url, 'create table noted as select 1 as a')
  await server.crash()
  await expect(query(database.url, 'select 1')).rejects.toThrow(/ECONNRESET|terminated/)
  await server.start()
  expect(await query(database.url, 'select a from noted')).toEqual([{ a: 1 }])
  const [here] = await query<{ id: string }>(database.url, 'select system_identifier::text as id from pg_control_system()')
  const [there] = await query<{ id: string }>(original.url, 'select system_identifier::text as id from pg_control_system()')
  expect(here?.id).not.toBe(there?.id)
})

test('a full disk answers ENOSPC, and takes data again once it is emptied', () => {
  const directory = mkdtempSync(join(tmpdir(), 'lockkeeper-disk-'))
  const disk = smallDisk(directory)
  onTestFinished(() => {
    disk.remove()
    rmSync(directory, { recursive: true })
  })
  // where nothing can be mounted, what stands in for it
  const place = disk.backup['clients'] === undefined ? join(disk.backup['directory'] ?? '', 'file') : '/dev/full'
  disk.fill(100_000)
  expect(() => writeFileSync(place, Buffer.alloc(1_000_000))).toThrow(/ENOSPC/)
  disk.empty()
  writeFileSync(join(disk.backup['directory'] ?? '', 'other'), Buffer.alloc(1_000_000))
  expect(readFileSync(join(disk.backup['directory'] ?? '', 'other'))).toHaveLength(1_000_000)
})

test('a server on a full disk refuses by its own code, does not survive a full log, and goes on when there is space', async () => {
  const server = await startServer({ onSmallDisk: true })
  onTestFinished(server.close)
  const { disk } = server
  const database = await server.create()
  await query(database.url, 'create table noted as select 1 as a')
  if (disk === undefined) return // no tmpfs can be mounted: the server stayed where it was, and works
  await disk.fill()
  await expect(query(database.url, 'create table more as select * from pg_class')).rejects.toMatchObject({ code: '53100' })
  expect(disk.refusals()).toBeGreaterThan(0)
  expect(await query(database.url, 'select a from noted')).toEqual([{ a: 1 }])
  await disk.exhaustLog()
  await expect(query(database.url, 'select 1')).rejects.toThrow(/ECONNRESET|terminated|shutting down|not yet accepting|recovery/)
  await disk.empty()
  await query(database.url, 'insert into noted select 2')
  expect(await query(database.url, 'select a from noted')).toEqual([{ a: 1 }, { a: 2 }])
})

test('a wrong clock is wrong for a whole process, and its timers are not', () => {
  const script = `const began = performance.now(); setTimeout(() => console.log(JSON.stringify([Date.now(), new Date().getTime(), new Date(5).getTime(), performance.now() - began < 1000])), 20)`
  const out = execFileSync(process.execPath, ['--import', join(import.meta.dirname, 'wrong-clock.ts'), '-e', script], {
    env: { ...process.env, LOCKKEEPER_TEST_CLOCK: String(-86_400_000) },
  })
  const [now, made, given, isSoon] = JSON.parse(out.toString()) as [number, number, number, boolean]
  expect(Math.abs(Date.now() - 86_400_000 - now)).toBeLessThan(10_000)
  expect(made - now).toBeLessThan(1_000)
  expect([given, isSoon]).toEqual([5, true])
})

test('a secret is found however it was written down, and by each half', () => {
  const secret = canaryPassword()
  const forms = formsOf(secret)
  const holds = (text: string) => forms.some((form) => text.includes(form))
  for (const text of [
    `url postgresql://u:${encodeURIComponent(secret)}@h/d`,
    JSON.stringify({ secret }),
    Buffer.from(`before ${secret} after`).toString('base64'),
    Buffer.from(`be ${secret} after`).toString('base64url'),
    Buffer.from(secret).toString('hex'),
    `cut ${secret.slice(-12)}`,
  ])
    expect([text, holds(text)]).toEqual([text, true])
  expect(holds(`another ${canaryPassword()}`)).toBe(false)
})

test('the box’s Slack answers late, limits, archives and takes back on demand', async () => {
  const slack = await startWorkspace({ rateLimits: false })
  onTestFinished(slack.close)
  const post = async () => {
    const began = performance.now()
    const answer = await fetch(`${slack.apiUrl}chat.postMessage`, {
      method: 'POST',
      headers: { authorization: `Bearer ${slack.tokens.bot}`, 'content-type': 'application/json' },
      body: JSON.stringify({ channel: 'C0DEPLOYS', text: 'hello' }),
    })
    const { ok, error } = (await answer.json()) as { ok: boolean; error?: string }
    return { said: ok ? 'ok' : error, after: answer.headers.get('retry-after'), late: performance.now() - began >= 200 }
  }
  slack.fault({ kind: 'slow', ms: 250 })
  expect(await post()).toEqual({ said: 'ok', after: null, late: true })
  slack.fault({ kind: 'ratelimited', retryAfter: 7 })
  expect(await post()).toEqual({ said: 'ratelimited', after: '7', late: false })
  slack.archive('C0DEPLOYS')
  expect((await post()).said).toBe('is_archived')
  slack.unarchive('C0DEPLOYS')
  slack.revokeToken('bot')
  expect((await post()).said).toBe('token_revoked')
  slack.restoreToken('bot')
  slack.fault({ kind: 'error', error: 'invalid_auth' })
  expect((await post()).said).toBe('invalid_auth')
  expect((await post()).said).toBe('ok')
})
