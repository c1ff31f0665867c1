import { installCommand } from '../../playground/shop/application.ts'
import { launchBots, type Bots } from '../../test/helpers/bots.ts'
import { startFlow } from '../../test/helpers/flow.ts'
import { median, ms, under, type Measurement } from '../figure.ts'
import { coveredMs, watchChildren, type Life } from '../stage/children.ts'
import { runIn, stepTimes, type Run } from '../stage/run.ts'

/**
 * A whole run of the sample shop (three migrations, backup, one deploy command, health), by a bot as a process of its own. The time
 * counts from the click that approves. What is not spent in children is the bot's own: its records, its looks, its waits.
 */
export const runTime: Measurement = {
  figures: [
    { name: 'click-to-child-ms', unit: 'ms', aim: under(1_000) },
    { name: 'overhead-ms', unit: 'ms', aim: under(1_500) },
  ],
  async measure({ sized, say }) {
    const rounds = Array.from({ length: sized({ small: 2, full: 7 }) }, (_, index) => `round${index + 1}`)
    const bots: Bots[] = []
    const target = ({ repository }: { readonly repository: string }) => ({
      source: { repository, branch: 'main', install: [...installCommand] },
    })
    const flow = await startFlow({
      target,
      targets: Object.fromEntries(rounds.map((name) => [name, { target }])),
      launch: launchBots({}, (received) => bots.push(received)),
    })
    try {
      const pid = bots[0]?.all()[0]?.pid
      if (pid === undefined) throw new Error('no bot was started')
      await runIn(flow) // installs the dependencies, which later runs find
      const measured: Measure[] = []
      for (const name of rounds) {
        const watching = watchChildren(pid)
        const run = await runIn(flow, name)
        const one = figuresOf(run, await watching.stop())
        say(`click to child ${ms(one.toChild)}, overhead ${ms(one.overhead)} of ${ms(one.whole)}; ${stepTimes(run)}; outside ${one.gaps}`)
        measured.push(one)
      }
      const of = (key: 'toChild' | 'overhead' | 'whole' | 'toAny') => median(measured.map((one) => one[key]))
      return {
        'click-to-child-ms': {
          value: of('toChild'),
          note: `median of ${measured.length} runs, to the first program that a step starts; the first program at all (git, which compares once more with what was approved) after ${ms(of('toAny'))}`,
        },
        'overhead-ms': {
          value: of('overhead'),
          note: `median of ${measured.length} runs of ${ms(of('whole'))} each, from the click to the recorded end, without the time in which a child process lived`,
        },
      }
    } finally {
      await flow.close()
    }
  },
}

type Measure = {
  readonly toChild: number
  readonly toAny: number
  readonly overhead: number
  readonly whole: number
  readonly gaps: string
}

function figuresOf(run: Run, lives: readonly Life[]): Measure {
  const { clickedAt, endedAt, request } = run
  const startedAt = request.startedAt?.getTime() ?? Number.NaN
  const any = lives.find((life) => life.from > clickedAt)
  const first = lives.find((life) => life.from > startedAt)
  if (any === undefined || first === undefined) throw new Error('the run started no child')
  const whole = endedAt - clickedAt
  return {
    toChild: first.from - clickedAt,
    toAny: any.from - clickedAt,
    overhead: whole - coveredMs(lives, clickedAt, endedAt),
    whole,
    gaps: gapsOf(run, lives),
  }
}

/** Where the bot's own time goes, by step, in milliseconds. */
function gapsOf({ clickedAt, endedAt, steps }: Run, lives: readonly Life[]): string {
  const own = (from: number, to: number) => Math.round(to - from - coveredMs(lives, from, to))
  let at = clickedAt
  const parts: string[] = []
  for (const step of steps) {
    if (step.startedAt === null || step.endedAt === null) continue
    const [from, to] = [step.startedAt.getTime(), step.endedAt.getTime()]
    parts.push(`before ${own(at, from)}`, `${step.name} ${own(from, to)}`)
    at = to
  }
  return [...parts, `after ${own(at, endedAt)}`].join(', ')
}
