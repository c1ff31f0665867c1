import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { z } from 'zod'
import { measurements } from './figures.ts'

/**
 * For CI: the whole bench in its small size. Every figure must come out, in its form. Only aims that hold at the small size, on two
 * cores and with other work beside it, must be met; the others are for a quiet machine and the full size.
 */
const FIRM = new Set([
  'click-to-child-ms',
  'takeover-ms',
  'output-rss-mb',
  'audit-page-ms',
  'audit-verify-s',
  'guard-p99-ms',
  'notices-lost',
  'notices-twice',
  'notices-rss-mb',
])

const line = z.strictObject({
  name: z.string(),
  value: z.number(),
  unit: z.string().min(1),
  aim: z
    .string()
    .regex(/^(>=|<=|<) [\d.]+$/)
    .nullable(),
  met: z.boolean().nullable(),
})

async function main(): Promise<number> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), '--size', 'small', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  const text = Buffer.concat(said).toString('utf8')
  console.log(text)
  const figures = text
    .split('\n')
    .filter((one) => one !== '')
    .map((one) => line.parse(JSON.parse(one)))
  const expected = measurements.flatMap((one) => one.figures)
  const faults = [
    ...(code === 0 ? [] : [`the bench ended with ${code}`]),
    ...expected.filter(({ name }) => !figures.some((figure) => figure.name === name)).map(({ name }) => `${name} is missing`),
    ...expected.flatMap(({ name, aim }) =>
      figures.some((figure) => figure.name === name && (figure.aim === null) !== (aim === null)) ? [`${name} has another aim`] : [],
    ),
    ...figures.filter(({ name, met }) => FIRM.has(name) && met !== true).map(({ name, value, aim }) => `${name} is ${value}, not ${aim}`),
  ]
  for (const fault of faults) console.error(`bench: ${fault}`)
  return faults.length === 0 ? 0 : 1
}

process.exitCode = await main()
