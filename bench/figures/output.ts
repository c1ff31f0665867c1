import { launchBots, type Bots } from '../../test/helpers/bots.ts'
import { startFlow } from '../../test/helpers/flow.ts'
import { under, type Measurement } from '../figure.ts'
import { rssMb, watchPeak } from '../stage/memory.ts'
import { runIn } from '../stage/run.ts'

/** How much a bot grows while a step of a run prints 100 MB, as lines of a log and as fast as it can. */
export const output: Measurement = {
  figures: [{ name: 'output-rss-mb', unit: 'MB', aim: under(64) }],
  async measure({ sized }) {
    const megabytes = sized({ small: 20, full: 100 })
    const bots: Bots[] = []
    const printing = (lines: number) => () => ({
      health: [],
      deploy: [{ name: 'Print', run: ['node', '-e', PRINT, String(lines)] }],
    })
    const flow = await startFlow({
      pending: 0,
      target: printing(100),
      targets: { loud: { pending: 0, target: printing((megabytes * 1_000_000) / LINE) } },
      launch: launchBots({}, (received) => bots.push(received)),
    })
    try {
      const pid = bots[0]?.all()[0]?.pid
      if (pid === undefined) throw new Error('no bot was started')
      const quiet = await runIn(flow) // what a run takes anyway is not growth by output
      await flow.drawn(quiet.request.id)
      const before = rssMb(pid)
      const watching = watchPeak(pid)
      const run = await runIn(flow, 'loud')
      const peak = watching.stop()
      const step = run.steps.find(({ name }) => name === 'deploy-1')
      const seconds = ((step?.endedAt?.getTime() ?? 0) - (step?.startedAt?.getTime() ?? 0)) / 1000
      return {
        'output-rss-mb': {
          value: peak - before,
          note: `${megabytes} MB in lines of ${LINE} bytes in ${seconds.toFixed(1)} s, redacted and kept; from ${before.toFixed(0)} MB to at most ${peak.toFixed(0)} MB in the whole run`,
        },
      }
    } finally {
      await flow.close()
    }
  },
}

const LINE = 100

/** As fast as the bot takes it, without filling its own memory. */
const PRINT = `
const { writeSync } = require('fs')
const lines = Number(process.argv[1])
for (let n = 0; n < lines; n++) {
  const text = ('line ' + n + ' ').padEnd(${LINE - 1}, 'of a log that goes on and on ') + '\\n'
  for (let done = 0; done < text.length; )
    try { done += writeSync(1, text.slice(done)) } catch (error) { if (error.code !== 'EAGAIN') throw error }
}`
