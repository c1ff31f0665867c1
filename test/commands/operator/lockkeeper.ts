import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { captureChild } from '../../../src/process/capture.ts'
import { createRedactor } from '../../../src/redact/redact.ts'
import { until } from '../../helpers/until.ts'

export const ROOT = join(import.meta.dirname, '../../..')
export const BIN = join(ROOT, 'bin/lockkeeper')

export type Ended = { readonly code: number | null; readonly out: string; readonly err: string }

/** Half of a start is compiling, and these tests start it a hundred times. */
const COMPILED = join(ROOT, '.build/compiled')

/** Starts the real program with exactly this environment (and PATH and HOME) and waits for its end. */
export async function lockkeeper(
  words: readonly string[],
  where: { readonly cwd: string; readonly env?: Readonly<Record<string, string>>; readonly bin?: string },
): Promise<Ended> {
  const end = await captureChild({
    argv: [where.bin ?? BIN, ...words],
    cwd: where.cwd,
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', NODE_COMPILE_CACHE: COMPILED, ...where.env },
    redactor: createRedactor([]),
    timeoutMs: 60_000,
  })
  return { code: end.exitCode, out: end.stdout.toString('utf8'), err: end.stderr }
}

/** The same in a pseudo-terminal: each answer is typed when its question stands there. */
export async function lockkeeperInTerminal(
  words: readonly string[],
  cwd: string,
  answers: readonly { readonly at: string; readonly type: string }[],
): Promise<{ readonly code: number | null; readonly screen: string }> {
  const command = `stty cols 120 rows 40; exec ${[BIN, ...words].map((word) => `'${word}'`).join(' ')}`
  const argv = process.platform === 'darwin' ? ['-q', '/dev/null', 'sh', '-c', command] : ['-qec', command, '/dev/null']
  const child = spawn('script', argv, { cwd, env: { PATH: process.env.PATH, HOME: process.env.HOME, TERM: 'xterm', SHELL: '/bin/sh' } })
  let raw = ''
  let code: number | null | undefined
  child.stdout.on('data', (chunk: Buffer) => (raw += chunk.toString('utf8')))
  child.on('close', (ended) => (code = ended))
  const screen = () => stripVTControlCharacters(raw)
  try {
    for (const { at, type } of answers) {
      await until(`the terminal asks "${at}"; it shows ${screen().slice(-500)}`, () => screen().includes(at))
      child.stdin.write(`${type}\r`)
    }
    await until('the program ends', () => code !== undefined)
  } finally {
    child.kill('SIGKILL')
  }
  return { code: code ?? null, screen: screen() }
}
