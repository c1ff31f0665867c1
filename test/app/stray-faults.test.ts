import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStore } from '../../src/store/pool.ts'
import { botsFor, type Bot, type Bots } from '../helpers/bots.ts'
import { createFixture, type Fixture } from '../commands/operator/fixture.ts'

const CANARY = 'canary-Geheimnis/2026'

let fixture: Fixture
let bots: Bots

beforeEach(async () => {
  fixture = await createFixture()
  const hook = join(fixture.directory, 'hook.mjs')
  await writeFile(hook, HOOK)
  const url = `postgresql://shop:${encodeURIComponent(CANARY)}@127.0.0.1:1/shop`
  bots = botsFor({
    configPath: join(fixture.directory, 'lockkeeper.yaml'),
    env: { ...fixture.env, PATH: process.env.PATH ?? '', CANARY, PROD_DATABASE_URL: url, NODE_OPTIONS: `--import ${hook}` },
  })
})

afterEach(async () => {
  await bots.close()
  await fixture.close()
})

/** A mistake of the kind that no test of the parts can know beforehand, in a real bot. */
const HOOK = `
process.on('SIGUSR2', () => { Promise.reject(new Error('left alone: ' + process.env.CANARY)) })
process.on('SIGHUP', () => { throw new Error('not caught: ' + process.env.CANARY) })
process.on('SIGPIPE', () => { Promise.reject(process.env.CANARY) })
`

test('a fault that nobody caught is told without its secret, and the bot drains as if it were asked to stop and ends with 1', async () => {
  const bot = await bots.start()
  // the second and the third come while it drains and do not cut that short
  for (const signal of ['SIGUSR2', 'SIGHUP', 'SIGPIPE'] as const) process.kill(bot.pid, signal)
  expect(await codeOf(bot)).toBe(1)
  expect(bot.log().match(/a fault that nobody caught; Lockkeeper stops, and runs go on at the next start/g)).toHaveLength(3)
  expect(bot.log()).toContain('"error":"Error: left alone: [redacted]\\n    at ')
  expect(bot.log()).toContain('"error":"Error: not caught: [redacted]\\n    at ')
  expect(bot.log()).toContain('"error":"Error: not an error was thrown: [redacted]\\n    at ')
  expect(bot.log()).toContain('stopping; runs go on at the next start')
  expect(bot.log()).not.toContain(CANARY)
  expect(bot.log()).not.toContain(encodeURIComponent(CANARY))
  expect(await lastAct()).toBe('stop') // part by part, not cut off
})

test('a command that only asks ends at once with the message alone', async () => {
  const hook = join(fixture.directory, 'early.mjs')
  await writeFile(hook, `setTimeout(() => { throw new Error('too early') })`)
  const ended = await fixture.run(['history'], { NODE_OPTIONS: `--import ${hook}` })
  expect(ended).toEqual({ code: 1, out: '', err: 'Lockkeeper could not go on: too early\n' })
})

async function codeOf(bot: Bot): Promise<number | null> {
  expect(await bot.gone()).toBeNull()
  return bot.stop() // it is gone; this only asks for the code
}

async function lastAct(): Promise<string | undefined> {
  const store = openStore(fixture.storeUrl, () => {})
  try {
    return (await store.query<{ act: string }>('select act from lockkeeper.audit order by id desc limit 1'))[0]?.act
  } finally {
    await store.close()
  }
}
