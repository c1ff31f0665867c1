import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Launched } from './flow.ts'
import { until } from './until.ts'

const root = join(import.meta.dirname, '../..')

/** One process of the bot, as `npm start` starts it. */
export type Bot = {
  readonly pid: number
  readonly log: () => string
  readonly isAlive: () => boolean
  /** Whether it was killed, and not by this handle. */
  readonly diedByItself: () => boolean
  /** kill -9, this very process and nothing else. */
  readonly kill: () => Promise<void>
  /** SIGTERM, and the exit code once it is gone. */
  readonly stop: () => Promise<number | null>
  /** SIGSTOP: it does nothing more and does not know it; its connections stay open. */
  readonly freeze: () => void
  /** SIGCONT: it goes on where it was. */
  readonly thaw: () => void
  /** Resolves when it is gone by itself, with the signal that ended it. */
  readonly gone: (withinMs?: number) => Promise<string | null>
}

/** Any number of bots with the same configuration; what is left of them is killed by `close`. */
export type Bots = {
  readonly start: (env?: Readonly<Record<string, string>>) => Promise<Bot>
  /** Does not wait until it is up. */
  readonly spawn: (env?: Readonly<Record<string, string>>) => Bot
  readonly all: () => readonly Bot[]
  readonly close: () => Promise<void>
}

export function botsFor(known: { readonly configPath: string; readonly env: Readonly<Record<string, string>> }): Bots {
  const bots: Bot[] = []
  const spawn = (env: Readonly<Record<string, string>> = {}) => {
    const bot = startProcess(known.configPath, { ...known.env, ...env })
    bots.push(bot)
    return bot
  }
  return {
    all: () => bots,
    spawn,
    async start(env = {}) {
      const bot = spawn(env)
      const up = () => {
        if (!bot.isAlive()) throw new Error(`the bot ended before it was up:\n${bot.log()}`)
        return isUp(bot)
      }
      await until('the bot is up', up, 90_000) // several may start at once; the test's own time limits it
      return bot
    },
    async close() {
      await Promise.all(bots.filter((bot) => bot.isAlive()).map((bot) => bot.kill()))
    },
  }
}

export const isUp = (bot: Bot): boolean => bot.log().includes('Lockkeeper is up')

/** For `startFlow`: the bot as a child process. `env` is for the first start alone. */
export function launchBots(env: Readonly<Record<string, string>>, received: (bots: Bots) => void) {
  return (known: Parameters<typeof botsFor>[0] & { readonly directory: string }): Launched => {
    mkdirSync(temporary(known.directory), { recursive: true })
    const bots = botsFor(known)
    received(bots)
    return {
      start: async () => void (await bots.start(bots.all().length === 0 ? env : {})),
      stop: bots.close,
      log: () =>
        bots
          .all()
          .map((bot) => `--- bot ${bot.pid}\n${bot.log()}`)
          .join('\n'),
    }
  }
}

/** A directory for temporary files that names its flow: whatever a bot starts inherits it, and is found by it. */
export const temporary = (directory: string): string => join(directory, 'tmp')

/** How `bin/lockkeeper` starts Node, so that what is measured and killed here is what people run. */
const SMALL = {
  flags: ['--max-semi-space-size=1', '--liftoff-only', '--import', join(root, 'bin/without-types.mjs')],
  env: { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072', MALLOC_TOP_PAD_: '65536' },
} as const

/**
 * `ROOT` in the environment names another tree of sources, `LAUNCH` starts it as people do, with its secrets out of sight;
 * `LOCKKEEPER_TEST_CLOCK` puts its clock wrong by so many milliseconds.
 */
function startProcess(configPath: string, { ROOT, LAUNCH, ...env }: Readonly<Record<string, string>>): Bot {
  const clock = env['LOCKKEEPER_TEST_CLOCK'] === undefined ? [] : ['--import', join(root, 'test/faults/wrong-clock.ts')]
  const program = join(ROOT ?? root, LAUNCH === undefined ? 'src/app/main.ts' : 'src/app/launch.ts')
  const child = spawn(process.execPath, [...SMALL.flags, ...clock, program, '--config', configPath], {
    env: { ...SMALL.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output: string[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString('utf8')))
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk.toString('utf8')))
  const { pid } = child
  let wasKilled = false
  if (pid === undefined) throw new Error('the bot could not be started')
  const isAlive = () => child.exitCode === null && child.signalCode === null
  return {
    pid,
    log: () => output.join(''),
    isAlive,
    diedByItself: () => child.signalCode === 'SIGKILL' && !wasKilled,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async kill() {
      wasKilled = true
      await end(child, 'SIGKILL')
    },
    async stop() {
      await end(child, 'SIGTERM')
      return child.exitCode
    },
    async gone(withinMs) {
      await until(`bot ${pid} is gone`, () => !isAlive(), withinMs)
      return child.signalCode
    },
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}
