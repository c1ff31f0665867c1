import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startWorkspace, type Workspace, type WorkspaceOptions } from '../../playground/server/workspace.ts'
import type { PlayMessage } from '../../playground/protocol.ts'
import { startApp, type App } from '../../src/app/app.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { loadConfig, secretsOf } from '../../src/config/load.ts'
import { openStore, type Db } from '../../src/store/pool.ts'
import { createLog } from '../../src/lib/log.ts'
import { createRedactor, secretsOfUrl } from '../../src/redact/redact.ts'
import type { RequestRow, RequestState } from '../../src/request/request.ts'
import { requestById } from '../../src/request/store.ts'
import type { RateLimit } from '../../src/slack/outbox/rate-limit.ts'
import { CHANNEL } from './channel.ts'
import { installedStore } from './installed-store.ts'
import type { TestDatabase } from './postgres.ts'
import { applicationPath, linkCommand, shopDatabase, shopModules, shopRepository, toolEnvironment } from './sample.ts'
import { spoken } from './spoken.ts'
import { until } from './until.ts'

export { CHANNEL }

export type TargetOptions = {
  /** Migrations that the target lacks; 3 unless said. */
  readonly pending?: number
  readonly orders?: number
  /** More or other keys of the target, as a function of what a configuration may need to know. */
  readonly target?: (known: {
    readonly directory: string
    readonly repository: string
    readonly healthUrl: string
    /** What is to be undone before the directory is removed, also where the flow does not come up. */
    readonly undo: (act: () => Promise<unknown>) => void
  }) => Record<string, unknown>
  /** Changes the repository or the database before the bot reads them. */
  readonly prepare?: (flow: { readonly repository: string; readonly database: TestDatabase }) => Promise<void>
  /** The database of an earlier target instead of one of its own. */
  readonly databaseOf?: string
  /** Where its database is, instead of a copy of the shop's on the server of all tests. */
  readonly database?: () => Promise<TestDatabase>
}

export type FlowOptions = TargetOptions & {
  /** Targets beside `prod`, each with a repository, a database and a health endpoint of its own. */
  readonly targets?: Readonly<Record<string, TargetOptions>>
  readonly people?: Readonly<Record<string, string>>
  /** More keys of the configuration beside its targets. */
  readonly settings?: Readonly<Record<string, unknown>>
  readonly workspace?: WorkspaceOptions
  readonly mode?: 'socket' | 'http'
  /** How the bot runs; inside this process unless said. */
  readonly launch?: (known: Known) => Launched
  /** More variables of the bot. */
  readonly env?: (
    directory: string,
    known: { readonly store: TestDatabase },
  ) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>
  /** The store, instead of one on the server of all tests in which a bot has been once. */
  readonly store?: () => Promise<TestDatabase>
  /** The bot's own rate limit towards Slack; otherwise it writes as fast as it can. */
  readonly isRateLimited?: boolean
}

/** What stands behind a target. */
export type Behind = {
  readonly database: TestDatabase
  readonly repository: string
  /** Answers of the application's health endpoint from now on. */
  readonly health: { status: number; hits: number }
  /** The commit that the deploy steps made live; null while there is none. */
  readonly live: () => Promise<string | null>
}

type Known = {
  readonly configPath: string
  readonly env: Readonly<Record<string, string>>
  readonly directory: string
  readonly isRateLimited: boolean
}

export type Launched = Pick<Flow, 'start' | 'stop' | 'log'>

/** The bot on a real PostgreSQL, a real repository of the shop and a strict Slack in a box, driven as people would drive it. */
export type Flow = Omit<Behind, 'live'> & {
  readonly slack: Workspace
  readonly store: Db
  readonly behind: (target: string) => Behind
  readonly directory: string
  readonly configPath: string
  readonly env: Readonly<Record<string, string>>
  readonly log: () => string
  readonly type: (text: string, person?: string, channel?: string) => Promise<void>
  /** Types and waits for what the person alone is told, without "the answer follows". */
  readonly answer: (text: string, person?: string, channel?: string) => Promise<string>
  /** Types `/migrate deploy prod` and waits until people can decide. */
  readonly ask: (text?: string, person?: string, states?: readonly RequestState[]) => Promise<RequestRow>
  readonly approve: (id: number, person?: string) => Promise<string>
  readonly reject: (id: number, reason: string, person?: string) => Promise<string>
  /** Presses a button of the card and, when a window opens, its own button; what is said then. */
  readonly decide: (
    id: number,
    action: string,
    person: string,
    values?: Readonly<Record<string, Record<string, unknown>>>,
  ) => Promise<string>
  readonly press: (id: number, action: string, person: string) => Promise<string>
  readonly reaches: (id: number, states: RequestState | readonly RequestState[], withinMs?: number) => Promise<RequestRow>
  /** Waits until it asks again, with another plan than the one of this digest. */
  readonly reachesPlan: (id: number, otherThan: string | null) => Promise<RequestRow>
  readonly card: (id: number) => PlayMessage
  /** What people read, a line for each part, with what differs from run to run in braces. */
  readonly cardText: (id: number) => string
  /** Without the steps that went as in every run; whole cards are asserted in the flows of success and of a first failure. */
  readonly cardInShort: (id: number) => string
  /** Without the tail of output, which stands where the output began. */
  readonly thread: (id: number) => readonly string[]
  readonly tail: (id: number) => string | undefined
  readonly drawn: (id: number) => Promise<void>
  readonly start: () => Promise<void>
  readonly stop: () => Promise<void>
  /** Changes the configuration file; it counts from the next start. */
  readonly configure: (target: string, keys: Record<string, unknown>) => Promise<void>
  readonly close: () => Promise<void>
}

export async function startFlow(options: FlowOptions = {}): Promise<Flow> {
  const undo: (() => Promise<unknown>)[] = []
  try {
    return await build(options, undo)
  } catch (error) {
    for (const act of undo.toReversed()) await act()
    throw error
  }
}

async function build(options: FlowOptions, undo: (() => Promise<unknown>)[]): Promise<Flow> {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-flow-'))
  undo.push(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }))
  const modules = await shopModules()
  const storeDatabase = await (options.store ?? installedStore)()
  undo.push(storeDatabase.close)
  const targets = new Map<string, Behind & { readonly settings: Record<string, unknown> }>()
  const urls: Record<string, string> = {}
  for (const [name, one] of Object.entries({ prod: options, ...options.targets })) {
    const made = await makeTarget(name, one, { directory, modules, undo, shared: targets.get(one.databaseOf ?? '')?.database })
    targets.set(name, made)
    urls[`${name.toUpperCase()}_DATABASE_URL`] = made.database.url
  }
  const behind = (name: string): Behind => {
    const found = targets.get(name)
    if (found === undefined) throw new Error(`this flow has no target ${name}`)
    return found
  }

  const port = options.mode === 'http' ? await freePort() : 0
  const slack = await startWorkspace({
    rateLimits: false,
    ...(options.mode === 'http' ? { requestUrl: `http://127.0.0.1:${port}/slack/events` } : {}),
    ...options.workspace,
  })
  undo.push(slack.close)
  const env = {
    PATH: applicationPath,
    HOME: process.env.HOME ?? '',
    SLACK_BOT_TOKEN: slack.tokens.bot,
    SLACK_APP_TOKEN: slack.tokens.app,
    SLACK_SIGNING_SECRET: slack.tokens.signingSecret,
    SLACK_API_URL: slack.apiUrl,
    STORE_URL: storeDatabase.url,
    ...urls,
    ...(await options.env?.(directory, { store: storeDatabase })),
  }
  const configPath = join(directory, 'lockkeeper.yaml')
  const settings = Object.fromEntries([...targets].map(([name, one]) => [name, one.settings]))
  const writeConfig = () =>
    writeFile(
      configPath, // JSON is YAML
      JSON.stringify({
        slack: { mode: options.mode ?? 'socket', port, host: '127.0.0.1' },
        people: options.people ?? {},
        ...options.settings,
        targets: settings,
      }),
    )
  await writeConfig()
  const { start, stop, log } = (options.launch ?? launchHere)({ configPath, env, directory, isRateLimited: options.isRateLimited === true })
  const store = openStore(storeDatabase.url, () => {})
  undo.push(store.close)
  undo.push(stop)
  const flow = driver({ slack, store, steady: (text) => steady(text, directory) })
  await start()
  return {
    ...flow,
    slack,
    store,
    behind,
    ...behind('prod'),
    directory,
    configPath,
    env,
    log,
    start,
    stop,
    async configure(target, keys) {
      Object.assign(settings[target] ?? {}, keys)
      await writeConfig()
    },
    async close() {
      for (const act of undo.splice(0).toReversed()) await act()
    },
  }
}

function launchHere({ configPath, env, isRateLimited }: Known): Launched {
  const logs: string[] = []
  let app: App | undefined
  return {
    log: () => logs.join(''),
    async start() {
      const config = loadConfig(configPath, env)
      const redactor = createRedactor(
        [...secretsOf(config), env['STORE_URL'] ?? '']
          .flatMap(secretsOfUrl)
          .concat(env['SLACK_BOT_TOKEN'] ?? '', env['SLACK_APP_TOKEN'] ?? ''),
      )
      const sink = { write: (line: string) => logs.push(line) > 0 } as unknown as NodeJS.WritableStream // pino only writes
      const log = createLog(redactor, 'debug', sink)
      app = await startApp({ config, env, redactor, log, clock: systemClock, ...(isRateLimited ? {} : { rateLimit: unlimited }) })
    },
    async stop() {
      await app?.stop()
      app = undefined
    },
  }
}

/** Limits are the outbox's own tests'; here it writes at once, but obeys what Slack says. */
const unlimited: RateLimit = { take: async () => 0, limited: async () => {} }

async function makeTarget(
  name: string,
  options: TargetOptions,
  made: {
    readonly directory: string
    readonly modules: string
    readonly undo: (() => Promise<unknown>)[]
    readonly shared: TestDatabase | undefined
  },
): Promise<Behind & { readonly settings: Record<string, unknown> }> {
  const { directory, modules, undo, shared } = made
  const [repository, database] = await Promise.all([
    shopRepository(),
    shared ??
      options.database?.() ??
      shopDatabase({ ...(options.pending === undefined ? {} : { pending: options.pending }), orders: options.orders ?? 50 }),
  ])
  undo.push(repository.close, ...(shared === undefined ? [database.close] : []))
  await options.prepare?.({ repository: repository.path, database })
  const health = { status: 200, hits: 0 }
  const server = await listenForHealth(health)
  undo.push(() => new Promise((done) => server.close(done)))
  const healthUrl = `http://127.0.0.1:${portOf(server)}/health`
  const live = join(directory, 'live', name)
  await mkdir(live, { recursive: true })
  const settings = {
    label: name === 'prod' ? 'Production' : name,
    channel: CHANNEL,
    // the flow of a success installs with npm
    source: { repository: repository.path, branch: 'main', install: linkCommand(modules) },
    database: { url: `env:${name.toUpperCase()}_DATABASE_URL` },
    tool: { prisma: { env: { ...toolEnvironment } } },
    backup: { directory: join(directory, 'backups') },
    approvals: { required: 1, from: ['group:S0DBA'] },
    deploy: [{ name: 'Switch', cwd: live, run: ['node', '-e', 'require("fs").writeFileSync("live", process.argv[1])', '{commit}'] }],
    health: [{ http: healthUrl, within: '10s' }],
    ...options.target?.({ directory, repository: repository.path, healthUrl, undo: (act) => void undo.push(act) }),
  }
  return {
    database,
    repository: repository.path,
    health,
    live: () => readFile(join(live, 'live'), 'utf8').catch(() => null),
    settings,
  }
}

function driver({ slack, store, steady }: { readonly slack: Workspace; readonly store: Db; readonly steady: (text: string) => string }) {
  const row = async (id: number): Promise<RequestRow> => {
    const request = await requestById(store, id)
    if (request === undefined) throw new Error(`there is no request ${id}`)
    return request
  }
  const newest = async () => (await store.query<{ id: number }>('select max(id) as id from lockkeeper.request'))[0]?.id ?? 0
  const type = async (text: string, person = 'U0ALICE', channel = CHANNEL) => {
    const answer = await slack.as(person).command(channel, text.startsWith('/') ? text : `/migrate ${text}`)
    if (!answer.ok) throw new Error(answer.error)
  }
  const answer = async (text: string, person = 'U0ALICE', channel = CHANNEL) => {
    const before = slack.ephemerals(person).length
    await type(text, person, channel)
    const said = await slack.waitFor(
      () =>
        slack
          .ephemerals(person)
          .slice(before)
          .find((one) => !/^(Reading|Still checking)\b/.test(one.text)),
      { timeoutMs: 20_000, what: `an answer to ${text}` },
    )
    return steady(readAloud(said))
  }
  const reaches = async (id: number, states: RequestState | readonly RequestState[], withinMs = 150_000) => {
    const wanted = [states].flat()
    try {
      return await until(
        `request ${id} reaches ${wanted.join(' or ')}`,
        async () => {
          const request = await row(id)
          return wanted.includes(request.state) && request
        },
        withinMs,
      )
    } catch (error) {
      const request = await row(id)
      throw new Error(`${(error as Error).message}; it is ${request.state}: ${JSON.stringify(request.outcome)}`, { cause: error })
    }
  }
  const cardIn = (id: number) =>
    slack.state().messages.find(
      (message) =>
        message.threadTs === null &&
        message.ephemeralTo === null &&
        !textOf(message).startsWith('Maintenance') && // a window whose release notes name it
        new RegExp(`#${id}\\b`).test(textOf(message)),
    )
  const card = (id: number) => {
    const found = cardIn(id)
    if (found === undefined) throw new Error(`there is no card of #${id}`)
    return found
  }
  const modalAfter = async (person: string, act: () => Promise<{ readonly ok: true } | { readonly ok: false; readonly error: string }>) => {
    const before = slack.modal(person)?.viewId
    const said = slack.ephemerals(person).length
    const answer = await act()
    if (!answer.ok && answer.error === 'That is no longer there.') throw new Error(`there is no such button for ${person}`)
    return slack.waitFor(() => {
      const modal = slack.modal(person)
      if (modal !== null && modal.viewId !== before) return modal
      return slack.ephemerals(person).length > said ? 'refused' : undefined
    })
  }
  const pressed = async (id: number, action: string, person: string) => {
    const message = card(id)
    const { token } = await row(id)
    // for a button the value is its own; for an entry of a menu it is what was chosen
    return modalAfter(person, () => slack.as(person).click({ channel: message.channel, ts: message.ts }, action, { selected: token }))
  }
  const press = async (id: number, action: string, person: string): Promise<string> => {
    const opened = await pressed(id, action, person)
    return steady(readAloud(opened === 'refused' ? slack.ephemerals(person).at(-1) : opened.view))
  }
  const decide = async (id: number, action: string, person: string, values = {}): Promise<string> => {
    const modal = await pressed(id, action, person)
    if (modal === 'refused') return steady(readAloud(slack.ephemerals(person).at(-1)))
    await slack.as(person).submit(modal.viewId, values)
    const told = await slack.waitFor(() => {
      const now = slack.modal(person)
      if (now === null) return 'closed'
      return JSON.stringify(now.view) !== JSON.stringify(modal.view) && !textOf(now.view).includes('…') ? now : undefined
    })
    if (told === 'closed') return 'the window closed'
    await slack.as(person).close(told.viewId)
    return steady(readAloud(told.view))
  }
  const posts = (id: number) => {
    const { channel, ts } = card(id)
    return slack.thread(channel, ts).map((message) => steady(readAloud(message)))
  }
  return {
    type,
    answer,
    async ask(text = 'deploy prod', person = 'U0ALICE', states: readonly RequestState[] = ['waiting', 'refused']) {
      const before = await newest()
      await type(text, person)
      const id = await until('a request is written', async () => {
        const now = await newest()
        return now > before && now
      })
      const request = await reaches(id, states)
      await until('its card can be decided', () => {
        const found = cardIn(id)
        return found !== undefined && (request.state !== 'waiting' || textOf(found).includes('Approve'))
      })
      return request
    },
    approve: (id: number, person = 'U0BOB') => decide(id, 'approve', person),
    reject: (id: number, reason: string, person = 'U0BOB') => decide(id, 'reject', person, { reason: { reason } }),
    decide,
    press,
    reaches,
    reachesPlan: (id: number, otherThan: string | null) =>
      until(`#${id} asks again`, async () => {
        const request = await row(id)
        if (!['waiting', 'granted'].includes(request.state))
          throw new Error(`#${id} is ${request.state}: ${JSON.stringify(request.outcome)}`)
        return request.state === 'waiting' && request.digest !== otherThan && request
      }),
    card,
    cardText: (id: number) => steady(readAloud(card(id))),
    cardInShort: (id: number) => inShort(steady(readAloud(card(id)))),
    thread: (id: number) => posts(id).filter((post) => !isTail(post)),
    tail: (id: number) => posts(id).find(isTail),
    /** Waits until what people see is what the rows say. */
    async drawn(id: number) {
      await until(`#${id} is drawn`, async () => {
        const [request] = await store.query<{ same: boolean }>(
          `select drawn_revision >= revision and draw_lease is null and draw_after = 'infinity' as same from lockkeeper.request where id = $1`,
          [id],
        )
        return request?.same === true
      })
    },
  }
}

/** Without the steps that went as in every run, which whole cards show elsewhere. */
const inShort = (card: string): string =>
  card
    .split('\n')
    .filter((line) => !/^\s*(complete \| (Preflight|Install|Back up|Verify the (backup|schema)|Switch)|pending) \|/.test(line))
    .join('\n')

/** What `status` says above the rows of Prisma's record, which the flow of a success shows. */
export const aboveRecord = (status: string): string => status.split('\n• `_prisma_migrations`')[0] ?? ''

const isTail = (post: string): boolean => /^(Output\b|While it ran, its output stood here)/.test(post)

/** A message, a window or Home as a person reads it, with the files below it. */
export function readAloud(thing: unknown): string {
  const message = thing as { readonly blocks?: unknown; readonly text?: string; readonly files?: PlayMessage['files'] } | undefined
  const lines = spoken(message as Parameters<typeof spoken>[0])
  const files = (message?.files ?? []).map((file) => `[file] ${file.title} (${file.name})`)
  return [...(lines.length === 0 && files.length === 0 ? [message?.text ?? ''] : lines), ...files].join('\n')
}

/** What differs from run to run, by its name in braces. */
export const steady = (text: string, directory: string): string =>
  text
    .replaceAll(directory, '{directory}')
    .replace(/<!date\^\d+\^[^>]*>/g, '{time}')
    .replace(/\b\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, '{time}')
    .replace(/(?<=\b(?:applied|started|rolled back) )\w{3} \d{1,2} \w{3} \d{4} \d\d:\d\d(?::\d\d)?/g, '{time}')
    .replace(/(?<=\bleft it \()\w{3} \d{1,2} \w{3} \d{4} \d\d:\d\d(?::\d\d)?/g, '{time}')
    .replace(/`[0-9a-f]{8}`/g, '`{plan}`')
    .replace(/-[0-9a-f]{8}\.sql/g, '-{plan}.sql')
    .replace(/\b[0-9a-f]{40}\b/g, '{full commit}')
    .replace(/\b(?=[0-9a-f]*\d)[0-9a-f]{7}\b|(?<=`)[0-9a-f]{10,12}(?=`)/g, '{commit}')
    .replace(/\b[a-z]+-\d{8}T\d{6}Z\S*?(?=[`\s,.]|$)/g, '{backup}')
    .replace(/\b\d+(\.\d+)? (kB|MB|GB|bytes)\b/g, '{size}')
    .replace(/\b(under )?\d+(\.\d+)? (s|min|h)\b( \d+ (s|min)\b)?/g, '{duration}')
    .replace(/\btest_[0-9a-f]{12}\b/g, '{database}')
    .replace(/\bpid \d+/g, 'pid {pid}')
    .replace(/127\.0\.0\.1:\d+|localhost:\d+/g, '{host}')

/** All words of a message or view, one block a line; for looking for something in it. */
export function textOf(thing: unknown): string {
  const words: string[] = []
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(walk)
    if (typeof value !== 'object' || value === null) return
    for (const [key, part] of Object.entries(value))
      if (typeof part === 'string' && ['text', 'title'].includes(key)) words.push(part)
      else walk(part)
  }
  const message = thing as { readonly blocks?: unknown; readonly text?: string } | undefined
  walk(message?.blocks ?? [])
  return words.length > 0 ? words.join('\n') : (message?.text ?? '')
}

function listenForHealth(health: { status: number; hits: number }): Promise<Server> {
  const server = createServer((_, response) => {
    health.hits++
    response.writeHead(health.status, { 'content-type': 'application/json' }).end('{"ok":true}')
  })
  return new Promise((done) => server.listen(0, '127.0.0.1', () => done(server)))
}

const portOf = (server: Server): number => {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** For a server that must know it before it starts. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const port = portOf(server)
  await new Promise((done) => server.close(done))
  return port
}
