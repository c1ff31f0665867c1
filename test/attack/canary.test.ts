import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { canaryPassword, formsOf, roleFor, type RoleLogin } from '../faults/canary.ts'
import { launchBots, temporary, type Bots } from '../helpers/bots.ts'
import { startFlow, type Flow, type FlowOptions } from '../helpers/flow.ts'
import { serveRepository, type HttpsRepository } from '../helpers/https-repository.ts'
import { createDatabase, onServer } from '../helpers/postgres.ts'
import { commitTo, linkCommand, shopModules } from '../helpers/sample.ts'
import { placesOf, watchProcesses, type Seen } from '../helpers/secrets.ts'
import { until } from '../helpers/until.ts'
import { startCollector, type Collector } from '../observability/collector.ts'
import { lockkeeper } from '../commands/operator/lockkeeper.ts'

/** A whole run starts a dozen real programs; on a busy machine they take longer than a test of one part. */
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

/** A bot as its operator starts it, every secret of which is a canary, and everything into which one could fly. */
type Aviary = {
  readonly flow: Flow
  readonly bots: Bots
  readonly secrets: readonly string[]
  /** Answers of the command line, with what the bot says to who watches it. */
  readonly said: () => Promise<string>
  readonly seen: () => Seen
  readonly collector: Collector
  /** Where the migrations come from, by https with a login. */
  readonly origin: HttpsRepository
}

const undo: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const act of undo.splice(0).toReversed()) await act()
})

/** Prints a secret as programs do that do not mean to hide it. It comes in the environment, as a careless configuration would give it. */
const TELL = `
const { NOTICE, LOGIN_IN } = process.env
const secret = NOTICE ?? decodeURIComponent(/:\\/\\/bot:([^@]+)@/.exec(require('fs').readFileSync(LOGIN_IN, 'utf8'))[1])
const lines = (text, width, prefix = '') => text.match(new RegExp('[^]{1,' + width + '}', 'g')).map((line) => prefix + line).join('\\n')
const b64 = (text) => Buffer.from(text).toString('base64'), hex = Buffer.from(secret).toString('hex'), json = JSON.stringify(secret)
const say = [secret, b64(secret), b64('x' + secret), b64('xy' + secret), Buffer.from(secret).toString('base64url'), hex, hex.toUpperCase(),
  encodeURIComponent(secret), hex.replace(/../g, '%$&'), json, JSON.stringify(json), Array.from(secret, (c) => '&#' + c.codePointAt(0) + ';').join(''),
  "'" + secret.replaceAll("'", "'\\\\''") + "'", Array.from(secret).reverse().join(''), JSON.stringify(Buffer.from(secret)),
  lines(secret, 9), lines(secret, 8, '[app] '), lines(b64(secret), 12, '  '), lines(hex, 16, 'web_1  | ')]
for (const text of say) console.log('told:\\n' + text + '\\ntold')
const pieces = secret.match(/[^]{1,5}/g), next = () => { if (pieces.length > 0) { process.stdout.write(pieces.shift()); setTimeout(next, 20) } else { console.log('\\nall told'); process.exit(Number(process.argv[1] ?? 0)) } }
next()`

const telling = (name: string, told: string, code = 0) => ({ name, run: ['node', '-e', TELL, String(code)], env: { NOTICE: told } })
/** The operator's own file has the login of the repository in it, and whoever may read that may tell it. */
const tellingLogin = (configPath: string) => ({
  name: 'Tell the login',
  run: ['sh', '-c', 'LOGIN_IN=$1 exec node -e "$2"', 'sh', configPath, TELL],
})

async function openAviary(
  options: Pick<FlowOptions, 'target' | 'pending' | 'prepare'> & {
    readonly inTarget?: (known: { readonly url: string; readonly name: string }) => string
  } = {},
): Promise<Aviary> {
  const collector = await startCollector()
  undo.push(collector.close)
  const modules = await shopModules()
  const logins: RoleLogin[] = []
  const more = canaryPassword()
  const collectorToken = `otlp-${randomBytes(16).toString('hex')}`
  const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const login = { user: 'bot', password: canaryPassword() }
  const token = (of: string) => `${of}-${randomBytes(16).toString('hex')}`
  const outside = { mail: canaryPassword(), pager: token('pager'), signing: token('signing'), calendar: token('calendar') }
  let origin: HttpsRepository | undefined
  let bots: Bots | undefined
  let targetLogin: RoleLogin | undefined
  const flow = await startFlow({
    ...options,
    people: { [`os:${userInfo().username}`]: 'U0CAROL' },
    // the role that the bot is given makes its tables itself, as one does that owns nothing else
    store: createDatabase,
    launch: launchBots({ LAUNCH: 'yes' }, (received) => (bots = received)),
    settings: {
      evidence: { key: 'env:EVIDENCE_KEY' },
      // nobody listens there: what a receiver that is away brings about is told without its secrets
      mail: { url: 'env:MAIL_URL', from: 'lockkeeper@shop.example' },
      oncall: { webhook: 'env:PAGER_URL', secret: 'env:PAGER_SECRET' },
      calendar: { port: 0, token: 'env:CALENDAR_TOKEN' },
    },
    target(place) {
      const known = options.target?.(place) ?? {}
      const source = { branch: 'main', install: linkCommand(modules) }
      return { windows: { mail: ['ops@shop.example'] }, ...known, source: { ...source, repository: origin?.url } }
    },
    async prepare(place) {
      origin = await serveRepository(place.repository, login)
      undo.push(origin.close)
      targetLogin = await roleFor(place.database, 'target')
      logins.push(targetLogin)
      await options.prepare?.(place)
      if (options.inTarget !== undefined) await onServer(options.inTarget({ url: targetLogin.url, name: place.database.name }))
    },
    async env(directory, { store }) {
      mkdirSync(temporary(directory), { recursive: true })
      await origin?.trustIn(join(directory, 'var', 'repositories', 'prod.git'))
      const storeLogin = await roleFor(store, 'store')
      logins.push(storeLogin)
      return {
        TMPDIR: temporary(directory),
        STORE_URL: storeLogin.url,
        PROD_DATABASE_URL: targetLogin?.url ?? '',
        BACKUP_URL: targetLogin?.url ?? '',
        APP_SECRET: more,
        EVIDENCE_KEY: key,
        MAIL_URL: `smtp://mailer:${encodeURIComponent(outside.mail)}@127.0.0.1:1`,
        PAGER_URL: `http://127.0.0.1:1/hook/${outside.pager}`,
        PAGER_SECRET: outside.signing,
        CALENDAR_TOKEN: outside.calendar,
        OPERATION_PORT: '0',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_HEADERS: `authorization=${collectorToken}`,
      }
    },
  })
  undo.push(async () => {
    await flow.close()
    for (const login of logins) await login.drop()
  })
  const watch = watchProcesses(flow.directory)
  undo.push(watch.stop)
  const { bot, app, signingSecret } = flow.slack.tokens
  const keyBody = key.split('\n')[1] ?? key
  const cli = async (...words: readonly string[]) => {
    const end = await lockkeeper(['--config', flow.configPath, ...words], { cwd: flow.directory, env: flow.env })
    return `${words.join(' ')}: ${end.code}\n${end.out}\n${end.err}`
  }
  return {
    flow,
    bots: bots ?? never(),
    secrets: [
      ...logins.map(({ password }) => password),
      login.password,
      ...Object.values(outside),
      more,
      collectorToken,
      keyBody,
      bot,
      app,
      signingSecret,
    ],
    collector,
    origin: origin ?? never(),
    seen: watch.seen,
    async said() {
      const answers: string[] = []
      for (const words of [['check'], ['audit', 'list'], ['doctor', '--json'], ['show', '1'], ['export', '1', '--out', flow.directory]])
        answers.push(await cli(...words))
      const address = /"host":"([^"]+)","port":(\d+)/.exec(flow.log().slice(flow.log().lastIndexOf('--- bot')))
      for (const path of ['metrics', 'readyz', 'livez'])
        answers.push(await (await fetch(`http://${address?.[1]}:${address?.[2]}/${path}`)).text())
      return answers.join('\n')
    },
  }
}

const never = (): never => {
  throw new Error('it was not started')
}

/** Where the login stands because its operator wrote it there. */
const besidesOwnFile = (flow: Flow, places: readonly string[]) => places.filter((place) => place !== flow.configPath)

/** In no sink there is; and the sinks were not empty. */
async function expectNowhere({ flow, secrets, said, collector, seen }: Aviary): Promise<string> {
  const answers = await said()
  expect(answers).toContain('lockkeeper_')
  expect(answers).toContain('doctor --json: ')
  await until('the traces arrive', () => collector.raw().includes('step '))
  expect(seen().count).toBeGreaterThan(5)
  const places = await placesOf(flow, secrets.flatMap(formsOf), [
    { where: 'what is said at the machine', text: answers },
    { where: 'traces', text: collector.raw() },
    { where: 'arguments of children', text: seen().argumentLists },
  ])
  expect(places).toContain(flow.configPath)
  expect(besidesOwnFile(flow, places)).toEqual([])
  return answers
}

/** A secret of the application's own, and the database's URL, to which a step has a right. */
const tellAll = (code = 0) => [telling('Tell the database', 'env:PROD_DATABASE_URL'), telling('Tell', 'env:APP_SECRET', code)]
/** And what no step has a right to. */
const tellMore = (directory: string) => [telling('Tell the key', 'env:EVIDENCE_KEY'), tellingLogin(join(directory, 'lockkeeper.yaml'))]
const FIRST = 'prisma/migrations/20261121090000_tells/migration.sql'

describe('a secret that is told in every way stands in no sink', () => {
  test('when a run succeeds', async () => {
    const aviary = await openAviary({ pending: 0, target: ({ directory }) => ({ deploy: [...tellAll(), ...tellMore(directory)] }) })
    const { flow, origin } = aviary
    origin.refuseWith(`no entry for ${aviary.secrets[2]}`)
    expect(await flow.answer('plan prod')).toContain('no entry for [redacted]')
    origin.refuseWith(null)
    const request = await flow.ask()
    await flow.approve(request.id)
    await flow.reaches(request.id, 'succeeded')
    await flow.drawn(request.id)
    const answers = await expectNowhere(aviary)
    expect(answers).toContain('is the signed document')
    const log = await readFile(join(flow.directory, 'var', 'runs', String(request.id), 'output.log'), 'utf8')
    expect(log.match(/told:\n[^]*?\[redacted\][^]*?\ntold/g)?.length).toBeGreaterThan(40)
    expect(log.match(/all told/g)).toHaveLength(4)
    expect(origin.calls.allowed).toBeGreaterThan(2)
  })

  test('when the database itself says it in an error, and when the bot is killed and its run adopted', async () => {
    const aviary = await openAviary({
      pending: 0,
      target: () => ({ prepare: tellAll() }),
      // the server knows it, not the migration, which everybody may read, nor the backup, which holds the database
      async prepare({ repository }) {
        await commitTo(repository, {
          subject: 'A migration that fails loudly',
          files: {
            [FIRST]: `DO $$ BEGIN PERFORM pg_sleep(2); RAISE EXCEPTION 'cannot connect as %', current_setting('canary.url'); END $$;\n`,
          },
        })
      },
      inTarget: ({ url, name }) => `alter role "target_${name}" set canary.url = ${quoted(url)}`,
    })
    const { flow, bots } = aviary
    const request = await flow.ask()
    await flow.approve(request.id)
    await until(
      'the migration runs',
      async () => (await flow.store.query(`select 1 from lockkeeper.step where name = 'migrate' and state = 'running'`)).length > 0,
    )
    await bots.all()[0]?.kill()
    await bots.start()
    const end = await flow.reaches(request.id, ['failed', 'needs_human'])
    expect(JSON.stringify(end.outcome)).toContain('[redacted]')
    await flow.drawn(request.id)
    await expectNowhere(aviary)
  })

  test('when a run is cancelled in the middle of it', async () => {
    const aviary = await openAviary({
      pending: 0,
      target: () => ({ deploy: [...tellAll(), { name: 'Wait', run: ['sleep', '600'] }] }),
    })
    const { flow } = aviary
    const request = await flow.ask()
    await flow.approve(request.id)
    await until(
      'the last step runs',
      async () => (await flow.store.query(`select 1 from lockkeeper.step where name = 'deploy-3' and state = 'running'`)).length > 0,
    )
    await flow.answer(`cancel ${request.id}`)
    await flow.reaches(request.id, ['cancelled', 'needs_human'])
    await flow.drawn(request.id)
    await expectNowhere(aviary)
  })

  test('and the finder finds each form in each kind of place', async () => {
    const aviary = await openAviary({ pending: 0 })
    const [secret = ''] = aviary.secrets
    await aviary.flow.store.query('create table lockkeeper.told (what text)')
    await aviary.flow.store.query('insert into lockkeeper.told values ($1)', [formsOf(secret).at(-1)])
    await writeFile(join(aviary.flow.directory, 'var', 'told'), formsOf(secret)[1] ?? '')
    const found = await placesOf(aviary.flow, aviary.secrets.flatMap(formsOf), [{ where: 'traces', text: formsOf(secret)[2] ?? '' }])
    expect(besidesOwnFile(aviary.flow, found)).toEqual(['traces', 'rows of lockkeeper.told', join(aviary.flow.directory, 'var', 'told')])
  })
})

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`
