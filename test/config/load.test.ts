import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { configText } from '../../commands/operator/init.ts'
import { ConfigFault, loadConfig, secretsOf } from '../../src/config/load.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-config-'))
})

afterEach(() => rm(directory, { recursive: true, force: true }))

const env = { PROD_DATABASE_URL: 'postgresql://app:s3cret-value@db.example:5432/shop' }

test('a small file is enough: every other key has a safe default', async () => {
  const config = await load(small)
  expect(config.targets.get('prod')).toMatchObject({
    title: 'prod',
    protected: true,
    source: { repository: 'git@github.com:example/shop.git', branch: 'main', directory: '.', install: ['npm', 'ci'] },
    database: { lockTimeout: 2_000, statementTimeout: 900_000 },
    tool: { prisma: { schema: 'prisma/schema.prisma', migrations: 'prisma/migrations', urls: ['DATABASE_URL'] } },
    backup: { provider: 'pg_dump', directory: join(directory, 'var/backups'), keep: { newest: 10 } },
    approvals: { required: 1, from: ['group:S0DBA'], expires: 14_400_000, grantExpires: 900_000 },
    prepare: [],
    deploy: [],
    health: [],
  })
  expect(secretsOf(config)).toEqual([env.PROD_DATABASE_URL])
})

test('all faults are told at once, each with its path and the way to mend it', async () => {
  const fault = await faultOf(`
targets:
  prod:
    chanel: C1
    channel: prod
    watch: { for: 24h }
    source: { branch: main }
    database: { url: postgres://x, lockTimeout: 2x, replicas: [env:X] }
    tool: prisma
    aprovals: {}
`)
  expect(fault.problems).toEqual([
    {
      path: 'targets.prod.channel',
      problem: 'must be a channel id such as C0123456789 (open the channel details in Slack to copy it)',
      fix: 'For example: channel: C0123456789',
    },
    { path: 'targets.prod.source.repository', problem: 'is missing', fix: 'Add it: repository: git@github.com:example/shop.git' },
    {
      path: 'targets.prod.database.url',
      problem: 'must be env:NAME or file:/path, since secrets do not belong in this file',
      fix: 'For example: url: env:PROD_DATABASE_URL',
    },
    {
      path: 'targets.prod.database.lockTimeout',
      problem: '"2x" is not a duration; write for example 2s, 15m or 4h',
      fix: 'For example: lockTimeout: 2s',
    },
    {
      path: 'targets.prod.database.replicas',
      problem: 'is not available yet',
      fix: 'Remove it for now; this version would not act on it.',
    },
    { path: 'targets.prod.approvals', problem: 'is missing', fix: 'Add it: approvals: { required: 1, from: [group:S0123456789] }' },
    { path: 'targets.prod.chanel', problem: '"chanel" is not a known key here', fix: 'Did you mean "channel"?' },
    { path: 'targets.prod.watch', problem: 'is not available yet', fix: 'Remove it for now; this version would not act on it.' },
    { path: 'targets.prod.aprovals', problem: '"aprovals" is not a known key here', fix: 'Did you mean "approvals"?' },
  ])
})

test.each([
  ['watch: { for: 24h }', 'targets.prod.watch'],
  ['rollback: ask', 'targets.prod.rollback'],
  ['onFailure: stop', 'targets.prod.onFailure'],
  ['backup: { provider: rds }', 'targets.prod.backup.provider'],
  ['backup: { keep: { daily: 7 } }', 'targets.prod.backup.keep.daily'],
])('a key of later work is refused by name: %s', async (line, path) => {
  const fault = await faultOf(`${small}    ${line}\n`)
  expect(fault.problems).toEqual([{ path, problem: 'is not available yet', fix: 'Remove it for now; this version would not act on it.' }])
})

test.each([
  ['sqll', '', '"sqll" is none of prisma, sql, node-pg-migrate, drizzle', 'Did you mean "sql"?'],
  ['Drizzle', '', '"Drizzle" is none of prisma, sql, node-pg-migrate, drizzle', 'Did you mean "drizzle"?'],
  ['flyway', '', '"flyway" is none of prisma, sql, node-pg-migrate, drizzle', 'For example: tool: prisma'],
  ['{ sql: { directory: 3 } }', '.sql.directory', 'must be text', 'For example: directory: db/migrations'],
  ['{ sql: }', '.sql', 'must be a group of keys', 'For example: tool: { sql: { directory: db/migrations } }'],
  [
    '{ sql: { urls: [lower] } }',
    '.sql.urls.0',
    'must be the name of a variable such as DATABASE_URL',
    'For example: urls: [DATABASE_URL, DIRECT_URL]',
  ],
  ['{ command: { name: dbmate, applied: select 1 } }', '.command.run', 'is missing', 'Add it: run: [dbmate, migrate]'],
  ['{ prisma: { shema: x } }', '.prisma.shema', '"shema" is not a known key here', 'Did you mean "schema"?'],
  ['{ sql: {}, prisma: {} }', '.sql', '"sql" is not a known key here', 'A target has one tool. Leave one of them.'],
  ['{ drizzle: { directory: x } }', '.drizzle', '"drizzle" is not a known key here', 'It takes no keys of its own. Write tool: drizzle'],
  [
    '{ flyway: {} }',
    '.flyway',
    '"flyway" is not a known key here',
    'A tool of another name is written as tool: { command: { … } }, see docs/other-tools.md.',
  ],
])('a tool that is mistyped is told as what it was meant to be: %s', async (written, path, problem, fix) => {
  const fault = await faultOf(small.replace(/tool: .*/, `tool: ${written}`))
  expect(fault.problems).toEqual([{ path: `targets.prod.tool${path}`, problem, fix }])
})

test('a key that stands in the wrong place is not suggested for itself', async () => {
  const fault = await faultOf(`${small}channel: C1\n`)
  expect(fault.problems).toEqual([
    { path: 'channel', problem: '"channel" is not a known key here', fix: 'It is a key of another place, see docs/configuration.md.' },
  ])
})

test('a secret that is not there is named with its place', async () => {
  const fault = await faultOf(small, {})
  expect(fault.problems).toEqual([
    {
      path: 'targets.prod.database.url',
      problem: 'the environment variable PROD_DATABASE_URL is not set',
      fix: 'Set PROD_DATABASE_URL where Lockkeeper is started.',
    },
  ])
})

test('a time zone that does not exist gets the nearest one suggested', async () => {
  const fault = await faultOf(`${small}    timezone: America/New_Yrok\n`)
  expect(fault.problems).toEqual([
    { path: 'targets.prod.timezone', problem: '"America/New_Yrok" is not a time zone', fix: 'Did you mean America/New_York?' },
  ])
})

test('more approvals than people is refused before anybody waits for them', async () => {
  const fault = await faultOf(small.replace('{ from: [group:S0DBA] }', '{ required: 2, from: [user:U0BOB] }'))
  expect(fault.problems.map(({ problem }) => problem)).toEqual(['2 approvals are required but only one person is named'])
})

test('runs start by themselves only where the target is not protected', async () => {
  const free = small.replace('approvals: { from: [group:S0DBA] }', 'approvals: { required: 0 }')
  expect((await faultOf(free)).problems).toEqual([
    {
      path: 'targets.prod.approvals.required',
      problem: 'a protected target needs at least one approval',
      fix: 'Write 1 or more, or `protected: false` where runs may start by themselves.',
    },
  ])
  const config = await load(free.replace('approvals:', 'protected: false\n    approvals:'))
  expect(config.targets.get('prod')?.approvals).toMatchObject({ required: 0, from: [] })
  // breaking changes need one all the same, which nobody could give
  const breaking = free.replace('approvals: { required: 0 }', 'protected: false\n    approvals: { required: 0, breaking: {} }')
  expect((await faultOf(breaking)).problems).toMatchObject([
    { path: 'targets.prod.approvals.breaking', problem: '1 approval is required but nobody is named' },
  ])
})

test.each([
  ['{}', '1 approval is required but nobody is named'],
  ['{ required: 3 }', '3 approvals are required but nobody is named'],
  ['{ from: [] }', '1 approval is required but nobody is named'],
])('approvals: %s is refused', async (written, problem) => {
  expect((await faultOf(small.replace('{ from: [group:S0DBA] }', written))).problems).toMatchObject([{ problem }])
})

test.each([
  ['{ name: a, sql: select 1 }', 'assert.0', 'needs either `expect` or `equal: true`'],
  ['{ name: a, sql: select 1, expect: 1, equal: true }', 'assert.0', 'needs either `expect` or `equal: true`'],
  ['{ name: a, sql: select 1, expect: 1 }, { name: a, sql: select 2, expect: 2 }', 'assert', 'needs a different name for each assertion'],
  ['{ name: a, sql: select 1, expect: 1, timeout: soon }', 'assert.0.timeout', '"soon" is not a duration; write for example 2s, 15m or 4h'],
])('assert: [ %s ] is refused', async (written, path, problem) => {
  expect((await faultOf(`${small}    assert: [ ${written} ]\n`)).problems).toMatchObject([{ path: `targets.prod.${path}`, problem }])
})

test.each([
  [
    '{ breaking: { approvals: { required: 2, from: [user:U0BOB] } } }',
    'breaking.approvals',
    '2 approvals are required but only one person is named',
  ],
  ['{ additive: { approvals: { required: 0 } } }', 'additive.approvals.required', 'a protected target needs at least one approval'],
  ['{ breaking: { maintenance: on } }', 'breaking.maintenance', 'is on, and the target does not say how maintenance mode is switched on'],
  ['{ breaking: { rehearsal: required } }', 'breaking.rehearsal', 'is not available yet'],
  ['{ risky: {} }', 'risky', '"risky" is not a known key here'],
])('classes: %s is refused', async (written, path, problem) => {
  expect((await faultOf(`${small}    classes: ${written}\n`)).problems).toMatchObject([{ path: `targets.prod.classes.${path}`, problem }])
})

const second = () => small.replace(/^\s*targets:\n/, '').replace('prod:', 'staging:')
test.each([
  ['after: stagin', 'after', 'there is no target "stagin"', 'Name another target, such as staging.'],
  ['after: prod', 'after', 'prod waits for prod, so nothing could ever run', 'Remove one `after`.'],
  ['soak: 24h', 'soak', 'says how long, and `after` does not say where', 'Add `after`, or remove this key.'],
])('%s is refused', async (line, key, problem, fix) => {
  expect((await faultOf(`${small}    ${line}\n${second()}`)).problems).toEqual([{ path: `targets.prod.${key}`, problem, fix }])
})

test('targets that wait for each other are refused, and a row of them is not', async () => {
  const config = await load(`${small}    after: staging\n    soak: 24h\n${second()}`)
  expect(config.targets.get('prod')).toMatchObject({ after: 'staging', soak: 86_400_000 })
  const fault = await faultOf(`${small}    after: staging\n${second()}    after: prod\n`)
  expect(fault.problems[0]?.problem).toBe('prod waits for staging waits for prod, so nothing could ever run')
})

test('broken YAML is told with its line', async () => {
  const fault = await faultOf('targets:\n  prod: {\n')
  expect(fault.problems[0]?.path).toMatch(/^line \d+$/)
})

test('a missing file says how to make one', () => {
  expect(() => loadConfig(join(directory, 'none.yaml'), {})).toThrow('Run `lockkeeper init` to write one, or name another with --config.')
})

test('what init writes is a file that works', async () => {
  const text = configText({
    target: 'prod',
    label: 'Production',
    channel: 'C0123456789',
    repository: 'git@github.com:example/shop.git',
    branch: 'main',
    directory: 'packages/api',
    databaseUrl: 'env:PROD_DATABASE_URL',
    approvers: ['group:S0DBA', 'user:U0BOB'],
    required: 2,
    live: '',
    restart: 'pm2 restart shop',
    health: 'https://shop.example/health',
  })
  const config = await load(text)
  expect(config.targets.get('prod')).toMatchObject({
    title: 'Production',
    deploy: [{ name: 'Restart', run: ['pm2', 'restart', 'shop'] }],
    health: [{ http: 'https://shop.example/health', expect: 200 }],
    approvals: { required: 2 },
  })
})

const small = `
targets:
  prod:
    channel: C0123456789
    source: { repository: git@github.com:example/shop.git }
    database: { url: env:PROD_DATABASE_URL }
    tool: prisma
    approvals: { from: [group:S0DBA] }
`

async function load(text: string, environment: Record<string, string> = env) {
  const file = join(directory, 'lockkeeper.yaml')
  await writeFile(file, text)
  return loadConfig(file, environment)
}

async function faultOf(text: string, environment: Record<string, string> = env): Promise<ConfigFault> {
  try {
    await load(text, environment)
  } catch (error) {
    if (error instanceof ConfigFault) return error
    throw error
  }
  throw new Error('the configuration was accepted')
}

test.each([
  ['breakGlass: { from: [user:U0BOB], review: [user:U0BOB] }', '', 'nobody but user:U0BOB could review what user:U0BOB lets through'],
  [
    'breakGlass: { from: [user:U0CAROL, user:U0BOB], review: [user:U0BOB, user:U0SECOND] }',
    'people: { U0SECOND: U0BOB }\n',
    'nobody but user:U0BOB could review what user:U0BOB lets through',
  ],
])('break-glass that one human would do and review is refused: %s', async (line, people, problem) => {
  const fault = await faultOf(`${people}${small}    ${line}\n`)
  expect(fault.problems).toEqual([
    {
      path: 'targets.prod.breakGlass',
      problem,
      fix: 'Name somebody else or a group as `review`: it takes two people, one who breaks the glass and one who looks at it afterwards.',
    },
  ])
})

test.each(['breakGlass: { from: [user:U0BOB] }', 'breakGlass: { from: [user:U0BOB, user:U0CAROL], review: [user:U0BOB, user:U0CAROL] }'])(
  'break-glass that somebody else can review is taken: %s',
  async (line) => {
    const { targets } = await load(`${small}    ${line}\n`)
    expect(targets.get('prod')?.breakGlass?.remind).toBe(86_400_000)
  },
)
