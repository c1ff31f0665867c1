import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { launchBots } from '../../test/helpers/bots.ts'
import { startFlow, type Flow } from '../../test/helpers/flow.ts'
import { atLeast, median, ms, under, type Measurement } from '../figure.ts'

const RATE = 10_000

/** A signed command's way to its acknowledgement while unsigned requests pour in, all on the same machine. HTTP mode. */
export const flood: Measurement = {
  figures: [
    { name: 'flood-ack-ms', unit: 'ms', aim: under(1_000) },
    { name: 'flood-answered-per-s', unit: '1/s', aim: atLeast(RATE * 0.99) },
  ],
  async measure({ sized }) {
    const seconds = sized({ small: 3, full: 10 })
    const flow = await startFlow({ mode: 'http', launch: launchBots({}, () => {}) })
    try {
      const calm = await acks(flow, 5)
      const attack = startFlood({ port: await portOf(flow), rate: RATE, seconds, connections: 32 })
      await wait(500)
      const times: number[] = []
      while (!attack.isOver()) {
        times.push(...(await acks(flow, 1)))
        await wait(100)
      }
      const { answered, sent, opened, broken, seconds: lasted } = await attack.end
      const rate = answered / lasted
      const reached = rate >= RATE * 0.99
      const note = `the slowest of ${times.length} signed commands (median ${ms(median(times))}, without the flood ${ms(median(calm))}) during ${seconds} s`
      return {
        'flood-ack-ms': {
          value: Math.max(...times),
          note: reached ? note : `does not count, since the rate was not reached; ${note}`,
          isVoid: !reached,
        },
        'flood-answered-per-s': {
          value: rate,
          note: `unsigned requests answered with 401, of ${Math.round(sent / lasted).toLocaleString('en')} sent a second over ${opened} connections, ${broken} of them broken; attacker, bot and Slack share the machine`,
        },
      }
    } finally {
      await flow.close()
    }
  },
}

async function acks(flow: Flow, count: number): Promise<readonly number[]> {
  const before = flow.slack.deliveries.log.length
  for (let n = 0; n < count; n++) await flow.type('history prod')
  const made = flow.slack.deliveries.log.slice(before)
  const failed = made.find(({ outcome }) => outcome.kind !== 'acked')
  if (failed !== undefined) throw new Error(`a signed command was not acknowledged: ${JSON.stringify(failed.outcome)}`)
  return made.map(({ tookMs }) => tookMs)
}

type Flooded = {
  readonly sent: number
  readonly answered: number
  readonly opened: number
  readonly broken: number
  readonly seconds: number
}

function startFlood(order: { readonly port: number; readonly rate: number; readonly seconds: number; readonly connections: number }) {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../stage/flood.process.ts')], {
    env: { FLOOD: JSON.stringify(order) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk))
  let isOver = false
  const end = once(child, 'close').then(([code]): Flooded => {
    isOver = true
    if (code !== 0) throw new Error(`the flood ended with ${code}`)
    return JSON.parse(Buffer.concat(said).toString('utf8')) as Flooded
  })
  end.catch(() => {}) // thrown where it is awaited
  return { isOver: () => isOver, end }
}

/** The flow chose it and wrote it into the configuration. */
async function portOf(flow: Flow): Promise<number> {
  const { slack } = JSON.parse(await readFile(flow.configPath, 'utf8')) as { readonly slack: { readonly port: number } }
  return slack.port
}
