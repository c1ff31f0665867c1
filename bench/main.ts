import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startEmbedded } from '../src/store/embedded.ts'
import { chooseServer } from '../test/helpers/server.ts'
import { isMet, type Bench, type Measurement, type Result, type Size } from './figure.ts'
import { measurements } from './figures.ts'
import { jsonLine, loadText, machineText, tableText } from './report.ts'

/**
 * `npm run bench`: measures what Lockkeeper promises about its speed, with real parts, and prints a table. `--json` one object a line
 * instead, `--only NAME` (again for several) some of the figures, `--size small` all of them in a minute or two.
 * Ends with code 0 when everything was measured, aims met or not, 1 when something could not be, 2 when the words were not understood.
 */
async function main(): Promise<number> {
  const wish = readWish(process.argv.slice(2))
  if (typeof wish === 'string') {
    console.error(wish)
    return 2
  }
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-bench-'))
  say(`${machineText()}; size ${wish.size}`)
  // durable, as a production server is: what is acknowledged is on the disk
  const server = await startEmbedded({
    directory: join(directory, 'postgres'),
    env: process.env,
    settings: ['max_connections=400', 'shared_preload_libraries=pg_stat_statements', 'max_wal_size=4GB'],
  })
  chooseServer(server.url)
  const clear = async () => {
    await server.remove()
    await rm(directory, { recursive: true, force: true })
  }
  // Ctrl-C reaches the bots too; what is left is the server
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void clear().finally(() => process.exit(130)))
  try {
    return await measureAll(wish)
  } finally {
    await clear()
  }
}

type Wish = { readonly size: Size; readonly isJson: boolean; readonly only: readonly string[] }

const names = measurements.flatMap(({ figures }) => figures.map(({ name }) => name))

function readWish(argv: readonly string[]): Wish | string {
  const usage = `npm run bench -- [--size small|full] [--only NAME]… [--json]; the names are ${names.join(', ')}`
  let values
  try {
    ;({ values } = parseArgs({
      args: [...argv],
      options: {
        size: { type: 'string', default: 'full' },
        only: { type: 'string', multiple: true, default: [] },
        json: { type: 'boolean', default: false },
      },
    }))
  } catch (error) {
    return `${(error as Error).message}\n${usage}`
  }
  if (values.size !== 'small' && values.size !== 'full') return `There is no size ${values.size}.\n${usage}`
  const unknown = values.only.find((name) => !names.includes(name))
  return unknown === undefined ? { size: values.size, isJson: values.json, only: values.only } : `There is no figure ${unknown}.\n${usage}`
}

async function measureAll({ size, isJson, only }: Wish): Promise<number> {
  const bench: Bench = { size, sized: (values) => values[size], say }
  const all: Result[] = []
  for (const measurement of measurements) {
    const wanted = measurement.figures.filter(({ name }) => only.length === 0 || only.includes(name))
    if (wanted.length === 0) continue
    say(`${wanted.map(({ name }) => name).join(', ')} (load average ${loadText()})`)
    const measured = await measure(measurement, bench)
    for (const figure of wanted) {
      const result = { ...figure, ...measured(figure.name) }
      all.push(result)
      if (isJson) console.log(jsonLine(result))
    }
  }
  if (!isJson) console.log(`\n${machineText()}; size ${size}\n\n${tableText(all)}`)
  say(`load average at the end ${loadText()}`)
  const missed = all.filter((result) => isMet(result) === false).map(({ name }) => name)
  say(missed.length === 0 ? 'every aim is met' : `missed: ${missed.join(', ')}`)
  return all.some(({ value }) => value === null) ? 1 : 0
}

/** One that fails takes no other with it. */
async function measure(measurement: Measurement, bench: Bench): Promise<(name: string) => Pick<Result, 'value' | 'note' | 'isVoid'>> {
  try {
    const measured = await measurement.measure(bench)
    return (name) => measured[name] ?? { value: null, note: 'not measured: it gave no value' }
  } catch (error) {
    console.error(error)
    return () => ({ value: null, note: `not measured: ${(error as Error).message}` })
  }
}

const began = performance.now()

function say(text: string): void {
  console.error(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${text}`)
}

process.exitCode = await main()
