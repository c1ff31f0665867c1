import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startTime } from '../../src/process/process-id.ts'
import { endProcess } from '../../src/process/detached.ts'
import { LONGEST_LINE, MOST_SPOOL_BYTES } from '../../src/process/output.ts'
import { isGroupAlive } from '../../src/process/process-id.ts'
import { runChild } from '../../src/process/run-child.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { until } from '../helpers/until.ts'

let directory: string
const env = { PATH: process.env.PATH ?? '' }
const redactor = createRedactor(['canary-secret-0123456789'])
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-output-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** Writes so many blocks of 1 MB, as fast as they are taken. */
const flood = (blocks: number, block: string) => [
  process.execPath,
  '-e',
  `const b = ${block}; let n = 0; const go = () => { while (n < ${blocks}) { n++; if (!process.stdout.write(b)) return process.stdout.once('drain', go) } }; go()`,
]

describe('a step that floods its output', () => {
  test('with one endless line gives lines of bounded length and is read in linear time', async () => {
    const lengths: number[] = []
    const end = await runChild({
      argv: flood(48, "'x'.repeat(1 << 20)"),
      cwd: directory,
      env,
      redactor,
      onLine: (line) => lengths.push(line.length),
    })
    expect(end.exitCode).toBe(0)
    expect(Math.max(...lengths)).toBeLessThanOrEqual(LONGEST_LINE)
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(48 << 20)
    // read whole again with every piece, it took 13 times as long on the same machine
    expect(end.durationMs).toBeLessThan(15_000)
  })

  test('grows neither memory nor the log beyond bounds, and the log says what is missing', async () => {
    const spool = join(directory, 'output.log')
    const before = process.memoryUsage().rss
    let most = 0
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss - before)), 50)
    const end = await runChild({ argv: flood(100, "('y'.repeat(1023) + '\\n').repeat(1024)"), cwd: directory, env, redactor, spool })
    clearInterval(watch)
    expect(end.exitCode).toBe(0)
    expect(most / 2 ** 20).toBeLessThan(64)
    const { size, mode } = await stat(spool)
    expect(size).toBeLessThan(MOST_SPOOL_BYTES + 2 ** 20)
    expect(mode & 0o777).toBe(0o600)
    expect((await readFile(spool, 'utf8')).slice(-120)).toContain('The rest of this output is left out of the log')
  })
})

describe('a process group', () => {
  test('that got an id which an earlier process had is neither taken for it nor ended', async () => {
    const other = spawn('sh', ['-c', 'sleep 30 & wait'], { detached: true, stdio: 'ignore' })
    const pid = other.pid ?? 0
    const ended = new Promise((done) => other.once('exit', done))
    try {
      await until('it has a child', async () => (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')) !== '')
      const dead = { pid, startedAt: '1' }
      expect(isGroupAlive(dead)).toBe(false)
      endProcess(dead, 'SIGKILL')
      expect(isGroupAlive({ pid, startedAt: startTime(pid) ?? '' })).toBe(true)
    } finally {
      process.kill(-pid, 'SIGKILL')
      await ended
    }
  })
})
