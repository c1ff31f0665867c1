import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startWorkspace, type Workspace, type WorkspaceOptions } from '../../playground/server/workspace.ts'
import type { PlayMessage } from '../../playground/protocol.ts'
import { startApp, type App } from '../../src/app.ts'
import { systemClock } from '../../src/clock.ts'
import { loadConfig, secretsOf } from '../../src/config/load.ts'
import { openStore, type Db } from '../../src/db/pool.ts'
import { createLog } from '../../src/log.ts'
import { createRedactor, secretsOfUrl } from '../../src/redact.ts'
import type { RequestRow, RequestState } from '../../src/run/record.ts'
import { requestById } from '../../src/run/rows.ts'
import { createDatabase, type TestDatabase } from './postgres.ts'
import { installCommand, shopDatabase, shopModules, shopRepository, toolEnvironment } from './sample.ts'
import { until } from './until.ts'

export const CHANNEL = 'C0DEPLOYS'

export type FlowOptions = {
  /** Migrations that the target lacks; 3 unless said. */
  readonly pending?: number
  readonly orders?: number
  /** More or other keys of the target, as a function of what a configuration may need to know. */
  readonly target?: (known: { readonly directory: string; readonly healthUrl: string }) => Record<string, unknown>
  readonly people?: Readonly<Record<string, string>>
  readonly workspace?: WorkspaceOptions
  /** Changes the repository before the bot reads it. */
  readonly prepare?: (flow: { readonly repository: string; readonly database: TestDatabase }) => Promise<void>
  readonly mode?: 'socket' | 'http'
}

/** The bot on a real PostgreSQL, a real repository of the shop and a strict Slack in a box, driven as people would drive it. */
export type Flow = {
  readonly slack: Workspace
  readonly store: Db
  readonly database: TestDatabase
  readonly repository: string
  readonly directory: string
  readonly configPath: string
  readonly env: Readonly<Record<string, string>>
  readonly log: () => string
  /** Answers of the application's health endpoint from now on. */
  readonly health: { status: number; hits: number }
  readonly type: (text: string, person?: string, channel?: string) => Promise<void>
  /** Types `/migrate deploy prod` and waits until people can decide. */
  readonly ask: (text?: string, person?: string) => Promise<RequestRow>
  readonly approve: (id: number, person?: string) => Promise<string>
  readonly reject: (id: number, reason: string, person?: string) => Promise<string>
  readonly press: (id: number, action: string, person: string) => Promise<string>
  readonly reaches: (id: number, states: RequestState | readonly RequestState[], withinMs?: number) => Promise<RequestRow>
  readonly card: (id: number) => PlayMessage
  readonly cardText: (id: number) => string
  readonly thread: (id: number) => readonly string[]
  readonly drawn: (id: number) => Promise<void>
  readonly start: () => Promise<void>
  readonly stop: () => Promise<void>
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
  await shopModules() // so that the packages are in npm's cache
  const [repository, database, storeDatabase] = await Promise.all([
    shopRepository(),
    shopDatabase({ ...(options.pending === undefined ? {} : { pending: options.pending }), orders: options.orders ?? 50 }),
    createDatabase(),
  ])
  undo.push(repository.close, database.close, storeDatabase.close)
  await options.prepare?.({ repository: repository.path, database })
  const health = { status: 200, hits: 0 }
  const server = await listenForHealth(health)
  undo.push(() => new Promise((done) => server.close(done)))
  const healthUrl = `http://127.0.0.1:${portOf(server)}/health`

  const slack = await startWorkspace({ rateLimits: false, ...options.workspace })
  undo.push(slack.close)
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '',
    SLACK_BOT_TOKEN: slack.tokens.bot,
    SLACK_APP_TOKEN: slack.tokens.app,
    SLACK_SIGNING_SECRET: slack.tokens.signingSecret,
    SLACK_API_URL: slack.apiUrl,
    STORE_URL: storeDatabase.url,
    PROD_DATABASE_URL: database.url,
  }
  const configPath = join(directory, 'lockkeeper.yaml')
  await mkdir(join(directory, 'live'))
  await writeFile(configPath, JSON.stringify(configOf(options, repository.path, directory, healthUrl))) // JSON is YAML
  const logs: string[] = []
  let app: App | undefined
  const start = async () => {
    const config = loadConfig(configPath, env)
    const redactor = createRedactor(
      [...secretsOf(config), env.STORE_URL].flatMap(secretsOfUrl).concat(env.SLACK_BOT_TOKEN, env.SLACK_APP_TOKEN),
    )
    const sink = { write: (line: string) => logs.push(line) > 0 } as unknown as NodeJS.WritableStream // pino only writes
    app = await startApp({ config, env, redactor, log: createLog(redactor, 'debug', sink), clock: systemClock })
  }
  const stop = async () => {
    await app?.stop()
    app = undefined
  }
  const store = openStore(storeDatabase.url, () => {})
  undo.push(store.close)
  undo.push(stop)
  const flow = driver({ slack, store })
  await start()
  return {
    ...flow,
    slack,
    store,
    database,
    repository: repository.path,
    directory,
    configPath,
    env,
    health,
    log: () => logs.join(''),
    start,
    stop,
    async close() {
      for (const act of undo.splice(0).toReversed()) await act()
    },
  }
}

function configOf(options: FlowOptions, repository: string, directory: string, healthUrl: string) {
  return {
    slack: { mode: options.mode ?? 'socket' },
    people: options.people ?? {},
    targets: {
      prod: {
        label: 'Production',
        channel: CHANNEL,
        source: { repository, branch: 'main', install: [...installCommand] },
        database: { url: 'env:PROD_DATABASE_URL' },
        tool: { prisma: { env: { ...toolEnvironment } } },
        backup: { directory: join(directory, 'backups') },
        approvals: { required: 1, from: ['group:S0DBA'] },
        deploy: [
          {
            name: 'Switch',
            cwd: join(directory, 'live'),
            run: ['node', '-e', 'require("fs").writeFileSync("live", process.argv[1])', '{commit}'],
          },
        ],
        health: [{ http: healthUrl, within: '10s' }],
        ...options.target?.({ directory, healthUrl }),
      },
    },
  }
}

function driver({ slack, store }: { readonly slack: Workspace; readonly store: Db }) {
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
  const reaches = async (id: number, states: RequestState | readonly RequestState[], withinMs = 60_000) => {
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
  const card = (id: number) => {
    const found = slack.messages(CHANNEL).find((message) => message.threadTs === null && textOf(message).includes(`#${id}`))
    if (found === undefined) throw new Error(`there is no card of #${id}`)
    return found
  }
  const modalAfter = async (person: string, act: () => Promise<unknown>) => {
    const before = slack.modal(person)?.viewId
    const said = slack.ephemerals(person).length
    await act()
    return slack.waitFor(() => {
      const modal = slack.modal(person)
      if (modal !== null && modal.viewId !== before) return modal
      return slack.ephemerals(person).length > said ? 'refused' : undefined
    })
  }
  const press = async (id: number, action: string, person: string): Promise<string> => {
    const message = card(id)
    const opened = await modalAfter(person, () => slack.as(person).click({ channel: message.channel, ts: message.ts }, action))
    return opened === 'refused' ? textOf(slack.ephemerals(person).at(-1)) : textOf(opened.view)
  }
  const decide = async (id: number, action: 'approve' | 'reject', person: string, values = {}): Promise<string> => {
    const refusedBy = await press(id, action, person)
    const modal = slack.modal(person)
    if (modal === null || !JSON.stringify(modal.view).includes(`${action}_request`)) return refusedBy
    await slack.as(person).submit(modal.viewId, values)
    return slack.waitFor(() => {
      const told = slack.modal(person)
      if (told === null) return 'the window closed'
      const text = textOf(told.view)
      return JSON.stringify(told.view) !== JSON.stringify(modal.view) && !text.includes('…') ? text : undefined
    })
  }
  return {
    type,
    async ask(text = 'deploy prod', person = 'U0ALICE') {
      const before = await newest()
      await type(text, person)
      const id = await until('a request is written', async () => {
        const now = await newest()
        return now > before && now
      })
      const request = await reaches(id, ['waiting', 'refused'])
      await until('its card can be decided', () => textOf(card(id)).includes(request.state === 'waiting' ? 'Approve' : '#'))
      return request
    },
    approve: (id: number, person = 'U0BOB') => decide(id, 'approve', person),
    reject: (id: number, reason: string, person = 'U0BOB') => decide(id, 'reject', person, { reason: { reason } }),
    press,
    reaches,
    card,
    cardText: (id: number) => textOf(card(id)),
    thread: (id: number) => {
      const { channel, ts } = card(id)
      return slack.thread(channel, ts).map(textOf)
    },
    /** Waits until what people see is what the rows say. */
    async drawn(id: number) {
      await until(`#${id} is drawn`, async () => {
        const [request] = await store.query<{ same: boolean }>(
          'select drawn_revision >= revision as same from lockkeeper.request where id = $1',
          [id],
        )
        return request?.same === true
      })
    },
  }
}

/** All words of a message or view in reading order, one block a line. */
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
