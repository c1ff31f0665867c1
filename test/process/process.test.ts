import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { captureChild } from '../../src/process/capture.ts'
import { endOf, endProcess, startDetached } from '../../src/process/detached.ts'
import { childEnvironment, operatorPath } from '../../src/process/environment.ts'
import { TAIL_BYTES } from '../../src/process/output.ts'
import { isAlive } from '../../src/process/process-id.ts'
import { runChild } from '../../src/process/run-child.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { until } from '../helpers/until.ts'

let directory: string
const redactor = createRedactor(['canary-secret'])
const env = { PATH: process.env.PATH ?? '' }

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-process-'))
})

afterEach(() => rm(directory, { recursive: true, force: true }))

test('a child ends with its code, its lines in order and its time', async () => {
  const lines: string[] = []
  const end = await runChild({
    argv: node('console.log("one"); console.log("two"); process.exit(3)'),
    cwd: directory,
    env,
    redactor,
    onLine: (line) => lines.push(line),
  })
  expect(end).toMatchObject({ exitCode: 3, signal: null, ended: 'exited', tail: 'one\ntwo\n' })
  expect(lines).toEqual(['one', 'two'])
  expect(end.durationMs).toBeGreaterThan(0)
})

test('arguments are never seen by a shell', async () => {
  const hostile = '$(touch owned); `touch owned`; > owned'
  const end = await runChild({ argv: [process.execPath, '-e', 'console.log(process.argv[1])', hostile], cwd: directory, env, redactor })
  expect(end.tail).toBe(`${hostile}\n`)
  await expect(stat(join(directory, 'owned'))).rejects.toThrow('ENOENT')
})

test('a secret in the output is hidden in the tail, the lines and the spool, also when it arrives in two pieces', async () => {
  const spool = join(directory, 'spool')
  const lines: string[] = []
  const end = await runChild({
    argv: node('process.stdout.write("a canary-"); setTimeout(() => process.stdout.write("secret b\\n"), 50)'),
    cwd: directory,
    env,
    redactor,
    spool,
    onLine: (line) => lines.push(line),
  })
  expect(end.tail).toBe('a [redacted] b\n')
  expect(lines).toEqual(['a [redacted] b'])
  expect(await readFile(spool, 'utf8')).toBe('a [redacted] b\n')
  expect((await stat(spool)).mode & 0o777).toBe(0o600)
})

test('a child that takes too long is ended with its whole group', async () => {
  let grandchild = 0
  const end = await runChild({
    argv: node('const c = require("child_process").spawn("sleep", ["60"]); console.log(c.pid); setInterval(() => {}, 1000)'),
    cwd: directory,
    env,
    redactor,
    timeoutMs: 500,
    onLine: (line) => (grandchild = Number(line)),
  })
  expect(end).toMatchObject({ ended: 'timed-out', exitCode: null, signal: 'SIGTERM' })
  expect(grandchild).toBeGreaterThan(0)
  await until('the grandchild is gone', () => !isAlive({ pid: grandchild, startedAt: 'unknown' }))
})

test('an abort ends the child', async () => {
  const stop = new AbortController()
  const running = runChild({
    argv: node('setInterval(() => {}, 1000)'),
    cwd: directory,
    env,
    redactor,
    signal: stop.signal,
    onStart: () => stop.abort(),
  })
  expect(await running).toMatchObject({ ended: 'aborted' })
})

test('a child that could not be noted is ended, and then the fault is thrown', async () => {
  let pid = 0
  const running = runChild({
    argv: ['sleep', '600'],
    cwd: directory,
    env,
    redactor,
    onStart(started) {
      pid = started
      throw new Error('the disk is full')
    },
  })
  await expect(running).rejects.toThrow('the disk is full')
  expect(isAlive({ pid, startedAt: 'unknown' })).toBe(false)
})

test('a command that does not exist and a directory that does not exist are told, not thrown', async () => {
  const missing = await captureChild({ argv: ['no-such-command-here'], cwd: directory, env, redactor })
  expect(missing.ended).toBe('not-started')
  const nowhere = await runChild({ argv: node('1'), cwd: join(directory, 'gone'), env, redactor })
  expect(nowhere.ended).toBe('not-started')
  expect(nowhere.tail).toContain(`The directory ${join(directory, 'gone')} does not exist`)
})

test('of a hundred megabytes only the tail stays in memory', async () => {
  const end = await runChild({
    argv: node('const l = "x".repeat(1023) + "\\n"; for (let i = 0; i < 1e5; i++) process.stdout.write(l)'),
    cwd: directory,
    env,
    redactor,
  })
  expect(end.exitCode).toBe(0)
  expect(end.tail).toHaveLength(TAIL_BYTES)
})

test('a detached child is known by id and start time, writes to its file and outlives its starter', async () => {
  const output = join(directory, 'output')
  const id = startDetached({ argv: node('console.log("here"); setInterval(() => {}, 1000)'), cwd: directory, env, output })
  expect(isAlive(id)).toBe(true)
  expect(isAlive({ ...id, startedAt: '1' })).toBe(false)
  await until('it wrote', async () => (await readFile(output, 'utf8')) === 'here\n')
  expect((await stat(output)).mode & 0o777).toBe(0o600)
  const end = endOf(id)
  expect(end?.aborted).toBe(false)
  endProcess(id, 'SIGKILL')
  await until('its end is heard', () => end?.aborted)
  expect(isAlive(id)).toBe(false)
  expect(endOf(id)).toBeUndefined()
})

test('what could change what a child runs never reaches it, whoever asks', () => {
  const own = {
    HOME: '/home/x',
    NODE_OPTIONS: '--require evil',
    LD_PRELOAD: 'evil.so',
    PGOPTIONS: '-c x',
    PRISMA_SCHEMA_DISABLE_ADVISORY_LOCK: '1',
    SECRET: 'x',
  }
  expect(childEnvironment(own, '/bin', { NODE_OPTIONS: 'x', GIT_DIR: '/x', PGPASSWORD: 'p', MINE: '1' })).toEqual({
    PATH: '/bin',
    HOME: '/home/x',
    MINE: '1',
  })
  expect(childEnvironment(own, '/bin', { PGPASSWORD: 'p' }, ['PGPASSWORD'])).toEqual({ PATH: '/bin', HOME: '/home/x', PGPASSWORD: 'p' })
})

test("the application gets the operator's PATH, not ours", () => {
  expect(operatorPath('/x/node_modules/.bin:/usr/local/bin:/y/node-gyp-bin:/bin')).toBe('/usr/local/bin:/bin')
})

const node = (script: string) => [process.execPath, '-e', script]
