import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AddressInfo } from 'node:net'

/** A little application with a maintenance page: while a flag file is there it answers 503. */
export type Maintained = {
  /** Keys of a target. */
  readonly settings: { readonly on: readonly object[]; readonly off: readonly object[]; readonly probe: object }
  readonly url: string
  readonly directory: string
  readonly isOn: () => boolean
  /** What was switched, in order: `on`, `off`. */
  readonly switched: () => readonly string[]
  /** The command that switches it off fails from now on, says that it did and did not, or never ends; or works again. */
  readonly breakOff: (how: 'fails' | 'does nothing' | 'hangs' | 'works') => void
  readonly breakOn: () => void
  /** What the page said whenever somebody asked. */
  readonly answers: readonly number[]
  readonly close: () => Promise<void>
}

const SWITCH = `
const fs = require('fs')
const to = process.argv[2]
const broken = fs.existsSync('broken-' + to) ? fs.readFileSync('broken-' + to, 'utf8') : ''
fs.appendFileSync('switched', to + '\\n')
if (broken === 'fails') { console.error('the switch is stuck'); process.exit(3) }
if (broken === 'hangs') setInterval(() => {}, 60_000)
if (broken === '') to === 'on' ? fs.writeFileSync('maintenance', '') : fs.rmSync('maintenance', { force: true })
`

export async function startMaintained(): Promise<Maintained> {
  const directory = mkdtempSync(join(tmpdir(), 'lockkeeper-maintained-'))
  const flag = join(directory, 'maintenance')
  const answers: number[] = []
  writeFileSync(join(directory, 'switch.cjs'), SWITCH)
  const server = createServer((_request, response) => {
    const status = existsSync(flag) ? 503 : 200
    answers.push(status)
    response.writeHead(status).end(status === 503 ? 'Back in a few minutes.' : 'The shop')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const flip = (to: string) => ({ name: `Page ${to}`, cwd: directory, run: ['node', 'switch.cjs', to] })
  return {
    url,
    directory,
    settings: { on: [flip('on')], off: [flip('off')], probe: { http: url, within: '3s' } },
    isOn: () => existsSync(flag),
    switched: () => (existsSync(join(directory, 'switched')) ? readFileSync(join(directory, 'switched'), 'utf8').trim().split('\n') : []),
    breakOff: (how) =>
      how === 'works' ? rmSync(join(directory, 'broken-off'), { force: true }) : writeFileSync(join(directory, 'broken-off'), how),
    breakOn: () => writeFileSync(join(directory, 'broken-on'), 'fails'),
    answers,
    async close() {
      await new Promise((done) => server.close(done))
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
