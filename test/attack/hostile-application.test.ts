import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { startFlow, type Flow } from '../helpers/flow.ts'
import { onServer } from '../helpers/postgres.ts'
import { shopModules } from '../helpers/sample.ts'
import { query } from '../helpers/target.ts'
import { until } from '../helpers/until.ts'

let flow: Flow | undefined
let role: string | undefined
afterEach(async () => {
  await flow?.close()
  flow = undefined
  if (role !== undefined) await onServer(`drop role if exists "${role}"`)
})

const PASSWORD = `Gehe!m(1)'&<x>%/@ zeisig`

/** Every way in which the password could be written down. */
const strict = encodeURIComponent(PASSWORD).replace(/['()*!]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
const forms = [
  PASSWORD,
  encodeURIComponent(PASSWORD),
  strict,
  JSON.stringify(PASSWORD).slice(1, -1),
  Buffer.from(PASSWORD).toString('hex'),
  'zeisig', // a word of this file alone: the whole machine's argument lists are looked at
  'emVpc2ln',
]

/** Writes its environment down and does what the code after it says. */
const child =
  (name: string, code = '') =>
  (directory: string) => [
    'node',
    '-e',
    `require('fs').writeFileSync(${JSON.stringify(join(directory, `env-${name}.json`))}, JSON.stringify(process.env)); ${code}`,
  ]

const MISCHIEF = `
  const fs = require('fs'), { spawn } = require('child_process');
  for (const name of fs.readdirSync('prisma/migrations')) if (name.includes('discount')) fs.writeFileSync('prisma/migrations/' + name + '/migration.sql', 'CREATE TABLE stolen (id int);');
  fs.mkdirSync('prisma/migrations/20261121000000_more'); fs.writeFileSync('prisma/migrations/20261121000000_more/migration.sql', 'CREATE TABLE stolen (id int);');
  for (const place of ['.env', 'prisma/.env', '.env.local']) fs.writeFileSync(place, 'DATABASE_URL=postgresql://evil:evil@127.0.0.1:1/evil\\nPRISMA_SCHEMA_DISABLE_ADVISORY_LOCK=1\\n');
  const left = spawn('sleep', ['300'], { stdio: 'ignore' }); fs.writeFileSync(process.argv[1], String(left.pid)); left.unref();
  console.log('<!channel> @everyone \\u202e \`\`\` ' + 'x'.repeat(10000)); process.exit(0)`

test('an application that pries, lies and leaves things behind gets no credentials and changes nothing of what was approved', async () => {
  let url = ''
  const modules = await shopModules()
  const copy = `require('child_process').execFileSync('cp', ['-al', ${JSON.stringify(modules)}, 'node_modules'])`
  flow = await startFlow({
    async prepare({ database }) {
      role = `pry_${database.name}`
      await onServer(`create role "${role}" superuser login password '${PASSWORD.replaceAll("'", "''")}'`)
      const own = new URL(database.url)
      own.username = role
      own.password = encodeURIComponent(PASSWORD)
      url = own.href
    },
    env: () => ({ PROD_DATABASE_URL: url, NODE_OPTIONS: '--no-deprecation', PGOPTIONS: '-c search_path=evil', LD_PRELOAD: '/evil.so' }),
    target: ({ directory, repository }) => ({
      source: { repository, branch: 'main', install: child('install', copy)(directory) },
      prepare: [{ name: 'Build', run: [...child('prepare', MISCHIEF)(directory), join(directory, 'left')] }],
      deploy: [
        { name: 'Switch', run: child('deploy')(directory) },
        { name: 'Seed', run: child('seed', 'console.log("seeding with", process.env.DATABASE_URL)')(directory), database: true },
      ],
    }),
  })
  const { directory } = flow
  const seen = new Set<string>()
  const watch = setInterval(() => argumentLists().forEach((one) => seen.add(one)), 150)
  const request = await flow.ask()
  await flow.approve(request.id)
  const done = await flow.reaches(request.id, ['succeeded', 'failed', 'needs_human'], 120_000)
  clearInterval(watch)
  await flow.drawn(request.id)
  expect(done.state).toBe('succeeded')

  // what was approved ran, and nothing of what was written over it
  expect(await query(flow.database.url, `select to_regclass('stolen') as t, to_regclass('discounts')::text as d`)).toEqual([
    { t: null, d: 'discounts' },
  ])

  // environments: only the step that says so has a database, nobody has Slack's tokens or what could bend a program
  const environmentOf = (name: string) => JSON.parse(readFileSync(join(directory, `env-${name}.json`), 'utf8')) as Record<string, string>
  for (const name of ['install', 'prepare', 'deploy', 'seed']) {
    const names = Object.keys(environmentOf(name))
    expect(names.filter((one) => /SLACK|STORE_URL|PROD_DATABASE_URL|NODE_OPTIONS|LD_|^PG|TOKEN|SECRET/.test(one))).toEqual([])
    expect(names.includes('DATABASE_URL')).toBe(name === 'seed')
  }

  // what it left running in its group is gone
  const left = Number(readFileSync(join(directory, 'left'), 'utf8'))
  await until(
    'the process that was left behind is gone',
    () => !existsSync(`/proc/${left}`) || / Z /.test(readFileSync(`/proc/${left}/stat`, 'utf8')),
  )

  // the password: in no argument list, row, log line, message or file, but for what the steps themselves wrote
  const { store } = flow
  const tables = ['request', 'vote', 'step', 'event', 'message', 'backup', 'audit']
  const rows = await Promise.all(tables.map((table) => store.query(`select * from lockkeeper.${table}`)))
  const places: Readonly<Record<string, string>> = {
    'argument lists': [...seen].join('\n'),
    rows: JSON.stringify(rows),
    log: flow.log(),
    Slack: JSON.stringify([flow.slack.calls(), flow.slack.state()]),
    ...Object.fromEntries(filesBelow(join(directory, 'var')).map((path) => [path, readFileSync(path, 'latin1')])),
    ...Object.fromEntries(filesBelow(join(directory, 'backups')).map((path) => [path, readFileSync(path, 'latin1')])),
  }
  expect(seen.size).toBeGreaterThan(3)
  for (const [place, text] of Object.entries(places))
    for (const form of forms) if (text.includes(form)) throw new Error(`${form} stands in ${place}`)
  expect(places[join(directory, 'var', 'runs', String(request.id), 'output.log')]).toContain('seeding with [redacted]')

  // nobody else on the machine can read what is below var/
  const below = ['checkouts', 'repositories', 'runs', `runs/${request.id}`, `checkouts/${request.id}`]
  expect(below.filter((name) => (statSync(join(directory, 'var', name)).mode & 0o077) !== 0)).toEqual([])

  // nobody was called
  const said = JSON.stringify(flow.slack.calls('chat.postMessage').concat(flow.slack.calls('chat.update')))
  expect(said.replace(/"type":"text","text":"(?:[^"\\]|\\.)*"/g, '')).not.toMatch(/<!channel>|@everyone|\\u202e|\u202e/)
}, 180_000)

function argumentLists(): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8')]
      } catch {
        return [] // it has ended
      }
    })
    .filter((one) => /git|prisma|pg_dump|pg_restore|wrapper|node/.test(one) && !one.includes('vitest'))
}

/** Without what npm installed, which is the same everywhere. */
function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) return entry.name === 'node_modules' || entry.name === 'modules' ? [] : filesBelow(path)
    return entry.isFile() ? [path] : []
  })
}
