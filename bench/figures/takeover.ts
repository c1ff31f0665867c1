import { launchBots, type Bot, type Bots } from '../../test/helpers/bots.ts'
import { startFlow, type Flow } from '../../test/helpers/flow.ts'
import { until } from '../../test/helpers/until.ts'
import { median, ms, under, type Measurement } from '../figure.ts'
import { epochMs } from '../stage/children.ts'

/** From kill -9 of the bot that carries a run until another one has taken the interrupted step up again. */
export const takeover: Measurement = {
  figures: [{ name: 'takeover-ms', unit: 'ms', aim: under(5_000) }],
  async measure({ sized, say }) {
    const rounds = sized({ small: 2, full: 7 })
    const received: Bots[] = []
    const flow = await startFlow({
      pending: 0,
      target: () => ({
        health: [],
        deploy: [{ name: 'Wait', run: ['node', '-e', 'setTimeout(() => {}, 3_600_000)'], repeatable: true, timeout: '1h' }],
      }),
      launch: launchBots({}, (bots) => received.push(bots)),
    })
    try {
      const [bots] = received
      if (bots === undefined) throw new Error('no bot was started')
      const asked = await flow.ask()
      await flow.approve(asked.id)
      const times: number[] = []
      for (let round = 0; round < rounds; round++) {
        await bots.start()
        await until('the step runs', async () => (await stepState(flow, asked.id)) === `running ${round + 1}`)
        const victim = await carrierOf(flow, bots, asked.id)
        const killedAt = epochMs()
        await victim.kill()
        const at = await until('another one has taken it up', () => adoptedAt(flow, asked.id, round + 1), 60_000)
        say(`taken over after ${ms(at - killedAt)}`)
        times.push(at - killedAt)
      }
      await flow.press(asked.id, 'cancel', 'U0ALICE')
      return {
        'takeover-ms': {
          value: Math.max(...times),
          note: `the longest of ${rounds} (median ${ms(median(times))}), two bots with one store, by the store's clock at the record of the adoption`,
        },
      }
    } finally {
      await flow.close()
    }
  },
}

async function stepState(flow: Flow, id: number): Promise<string> {
  const [row] = await flow.store.query<{ state: string; attempt: number }>(
    `select state, attempt from lockkeeper.step where request_id = $1 and name = 'deploy-1'`,
    [id],
  )
  return `${row?.state} ${row?.attempt}`
}

/** The executor's id names its process. */
async function carrierOf(flow: Flow, bots: Bots, id: number): Promise<Bot> {
  const [row] = await flow.store.query<{ executor: string }>(
    'select executor_id as executor from dbos.workflow_status where workflow_uuid = $1',
    [`request-${id}`],
  )
  const bot = bots.all().find(({ pid, isAlive }) => isAlive() && row?.executor.includes(`-${pid}-`) === true)
  if (bot === undefined) throw new Error(`no bot carries #${id}`)
  return bot
}

async function adoptedAt(flow: Flow, id: number, times: number): Promise<number | undefined> {
  const rows = await flow.store.query<{ at: Date }>(
    `select at from lockkeeper.event where request_id = $1 and kind = 'adopted' order by id`,
    [id],
  )
  return rows[times - 1]?.at.getTime()
}
