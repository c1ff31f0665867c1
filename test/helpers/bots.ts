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
  /** kill -9, this very process and nothing else. */
  readonly kill: () => Promise<void>
  /** SIGTERM, and the exit code once it is gone. */
  readonly stop: () => Promise<number | null>
  /** Resolves when it is gone by itself, with the signal that ended it. */
  readonly gone: (withinMs?: number) => Promise<string | null>
}

/** Any number of bots with the same configuration; what is left of them is killed by `close`. */
export type Bots = {
  readonly start: (env?: Readonly<Record<string, string>>) => Promise<Bot>
  readonly all: () => readonly Bot[]
  readonly close: () => Promise<void>
}

export function botsFor(known: { readonly configPath: string; readonly env: Readonly<Record<string, string>> }): Bots {
  const bots: Bot[] = []
  return {
    all: () => bots,
    async start(env = {}) {
      const bot = startProcess(known.configPath, { ...known.env, ...env })
      bots.push(bot)
      await until('the bot is up', () => {
        if (!bot.isAlive()) throw new Error(`the bot ended before it was up:\n${bot.log()}`)
        return bot.log().includes('Lockkeeper is up')
      })
      return bot
    },
    async close() {
      await Promise.all(bots.filter((bot) => bot.isAlive()).map((bot) => bot.kill()))
    },
  }
}

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

function startProcess(configPath: string, env: Readonly<Record<string, string>>): Bot {
  const child = spawn(process.execPath, [join(root, 'src/launch.ts'), '--config', configPath], {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output: string[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString('utf8')))
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk.toString('utf8')))
  const { pid } = child
  if (pid === undefined) throw new Error('the bot could not be started')
  const isAlive = () => child.exitCode === null && child.signalCode === null
  return {
    pid,
    log: () => output.join(''),
    isAlive,
    async kill() {
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
