import { createHmac, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { defaultSeed, type Seed } from '../../../playground/server/seed.ts'
import { readAloud, startFlow, type Flow } from '../../helpers/flow.ts'
import { fingerprint } from '../../helpers/target.ts'
import { lockkeeper } from '../../commands/operator/lockkeeper.ts'

/** One running bot with requests in every state that an attack needs, and every way in, driven as an attacker would. */
export type Arena = {
  readonly mode: 'http' | 'socket'
  readonly flow: Flow
  readonly ids: Readonly<Record<'prod' | 'staging' | 'cancelled' | 'expired', number>>
  readonly tokens: Readonly<Record<'prod' | 'staging' | 'cancelled' | 'expired', string>>
  readonly digests: Readonly<Record<'prod' | 'staging' | 'cancelled' | 'expired', string>>
  /** Typed after the slash command by a person who is there; what that person alone is told. */
  readonly type: (text: string, person?: string, channel?: string) => Promise<string>
  /** Presses a button of a card as it stands there. */
  readonly press: (id: number, action: string, person: string) => Promise<string>
  /** Deliveries of Slack with parts of them changed: over Socket Mode, or signed with the right secret. */
  readonly command: (changes: Json) => Promise<string>
  readonly button: (changes: Json, how?: 'silent') => Promise<string>
  readonly window: (changes: Json) => Promise<string>
  /** Bytes sent to the HTTP port. */
  readonly post: (how?: Post) => Promise<string>
  /** A command as a form, with a trigger of its own. */
  readonly body: (changes: Json) => string
  /** What whoever typed this form is told next. */
  readonly hearing: (body: string) => () => Promise<string>
  readonly raw: (bytes: string) => Promise<string>
  readonly cli: (words: readonly string[], how?: { readonly isNobody?: true; readonly isSlackDown?: true }) => Promise<string>
  readonly snapshot: () => Promise<unknown>
  readonly audit: () => Promise<readonly AuditRow[]>
  readonly close: () => Promise<void>
}

export type Json = Readonly<Record<string, unknown>>
export type AuditRow = {
  readonly id: number
  readonly actor: string
  readonly act: string
  readonly result: string
  readonly entry?: string
}

export type Post = {
  /** Instead of `/migrate show 1`. */
  readonly body?: string | Buffer
  readonly type?: string
  readonly secret?: string
  /** Seconds; negative is the future. */
  readonly age?: number
  readonly without?: readonly string[]
  readonly more?: readonly (readonly [string, string])[]
  /** Sent instead of what was signed. */
  readonly instead?: string
  readonly path?: string
  /** Of another process. */
  readonly port?: number
  readonly method?: string
  readonly chunked?: true
  readonly signature?: (right: string) => string
  readonly timestamp?: string
}

const seed: Seed = {
  ...defaultSeed,
  people: [
    ...defaultSeed.people,
    { id: 'U0ERIN', name: 'erin', realName: 'Erin Vale', title: 'Developer', timezone: 'Etc/UTC', kind: 'member', color: '#555555' },
  ],
  channels: defaultSeed.channels.map((channel) => ({ ...channel, members: [...channel.members, 'U0ERIN'] })),
}

/** Alice asks for production and is at the machine; Dave is a second account of hers; Bob and Carol approve production, Carol staging. */
export async function startArena(mode: 'http' | 'socket'): Promise<Arena> {
  const flow = await startFlow({
    mode,
    workspace: { seed },
    people: { [`os:${userInfo().username}`]: 'U0ALICE', U0DAVE: 'U0ALICE' },
    pending: 1,
    target: () => ({ askIn: ['C0DEPLOYS', 'C0PROD'] }),
    targets: {
      staging: { pending: 1, target: () => ({ approvals: { from: ['user:U0CAROL'] } }) },
      closed: { pending: 0, target: () => ({ channel: 'C0PROD', askIn: ['C0PROD'], requests: { from: ['user:U0CAROL'] } }) },
      old: { pending: 1 },
      two: { pending: 0, target: () => ({ approvals: { required: 2, from: ['group:S0DBA'] }, windows: { override: ['user:U0ALICE'] } }) },
    },
  })
  try {
    return await prepare(flow, mode)
  } catch (error) {
    await flow.close()
    throw error
  }
}

async function prepare(flow: Flow, mode: Arena['mode']): Promise<Arena> {
  const { slack, store } = flow
  const cancelled = await flow.ask('deploy old')
  await flow.answer(`cancel ${cancelled.id}`)
  const expired = await flow.ask('deploy old')
  await store.query(`update lockkeeper.request set expires_at = clock_timestamp() where id = $1`, [expired.id])
  await flow.reaches(expired.id, 'expired')
  const [prod, staging] = [await flow.ask('deploy prod'), await flow.ask('deploy staging', 'U0ERIN')]
  for (const { id } of [cancelled, expired, prod, staging]) await flow.drawn(id)

  // what real deliveries look like, to be forged from
  await flow.answer('help', 'U0ERIN')
  const bases = { command: lastPayload('slash_commands'), button: {}, window: {} } as Record<string, Json>
  await flow.decide(prod.id, 'approve', 'U0ERIN')
  bases['window'] = lastPayload('interactive', 'view_submission')
  bases['button'] = lastPayload('interactive', 'block_actions')
  function lastPayload(kind: string, type?: string): Json {
    const found = slack.deliveries.log.findLast((one) => one.kind === kind && (type === undefined || one.payload['type'] === type))
    if (found === undefined) throw new Error(`no ${kind} was delivered`)
    return found.payload
  }
  const base = (name: string, changes: Json): Json =>
    merged({ ...bases[name], trigger_id: `1.${randomBytes(8).toString('hex')}` }, changes) as Json
  const deliver = (kind: 'slash_commands' | 'interactive', payload: Json) =>
    slack.deliveries.deliver({ kind, payload, acceptsPayload: true })
  const settings = JSON.parse(readFileSync(flow.configPath, 'utf8')) as { readonly slack: { readonly port: number } }
  const port = settings.slack.port
  writeFileSync(join(flow.directory, 'nobody.yaml'), JSON.stringify({ ...settings, people: {} }))
  const ids = { prod: prod.id, staging: staging.id, cancelled: cancelled.id, expired: expired.id }
  const plain = (text: string) =>
    text
      .replaceAll(`#${ids.prod}`, '#{prod}')
      .replaceAll(`#${ids.staging}`, '#{staging}')
      .replaceAll(`#${ids.cancelled}`, '#{cancelled}')
      .replaceAll(`#${ids.expired}`, '#{expired}')
      .replace(/\b(approve|reject|cancel|show|glass) (\d)\b/g, '$1 {id}')
      .replaceAll(`os:${userInfo().username}`, 'os:{login}')
      .replaceAll(`\`${userInfo().username}\``, '`{login}`')
      .replace(/\d{4}-\d\d-\d\d \d\d:\d\d UTC|at \d\d:\d\d\b/g, '{time}')
      .trim()
  const said = (outcome: Awaited<ReturnType<typeof deliver>>): string => {
    if (outcome.kind !== 'acked') return outcome.kind === 'failed' ? `HTTP ${outcome.status}` : outcome.kind
    const { text, view, errors } = outcome.payload as { text?: string; view?: unknown; errors?: Record<string, string> }
    if (errors !== undefined) return plain(Object.values(errors).join(' '))
    return view !== undefined ? plain(steadyTimes(readAloud(view))) : plain(steadyTimes(text ?? '')) || SILENT
  }
  /** What was typed as somebody is answered by the address that came with it. */
  const withOwnUrl = (payload: Json): Json =>
    payload['response_url'] === bases['command']?.['response_url']
      ? { ...payload, response_url: slack.responseUrl(String(payload['user_id']), String(payload['channel_id'])) }
      : payload
  const hearing = (payload: Json) => {
    const person = String(payload['user_id'])
    const before = slack.ephemerals(person).length
    return async () => {
      const told = await slack.waitFor(() => slack.ephemerals(person)[before], { what: `a word to ${person}` })
      return plain(steadyTimes(told.text))
    }
  }
  const tables = (
    await store.query<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = 'lockkeeper'
       and table_name !~ '^(answer|audit|seen|store|home)' order by 1`,
    )
  ).map(({ name }) => name)
  return {
    mode,
    flow,
    ids,
    tokens: { prod: prod.token, staging: staging.token, cancelled: cancelled.token, expired: expired.token },
    digests: { prod: prod.digest ?? '', staging: staging.digest ?? '', cancelled: cancelled.digest ?? '', expired: expired.digest ?? '' },
    type: async (text, person, channel) => plain(await flow.answer(text, person, channel)),
    press: async (id, action, person) => plain(await flow.press(id, action, person)),
    async command(changes) {
      const payload = withOwnUrl(base('command', changes))
      const heard = hearing(payload)
      const refused = said(await deliver('slash_commands', payload))
      return refused === SILENT ? heard() : refused
    },
    hearing: (body) => hearing(Object.fromEntries(new URLSearchParams(body))),
    async button(changes, how) {
      const payload = base('button', changes)
      const change = (changes['actions'] as readonly Json[] | undefined)?.[0] ?? {}
      const action = merged((bases['button']?.['actions'] as readonly Json[] | undefined)?.[0] ?? {}, change) as Json
      const person = String((payload['user'] as Json)['id'])
      const before = slack.ephemerals(person).length
      const outcome = await deliver('interactive', {
        ...payload,
        actions: [{ ...action, action_ts: `${Date.now()}.${randomBytes(3).toString('hex')}` }],
      })
      if (how === 'silent' || outcome.kind !== 'acked') return said(outcome)
      const told = await slack.waitFor(() => slack.ephemerals(person)[before], { what: `a word to ${person}` })
      return plain(steadyTimes(told.text))
    },
    window: async (changes) => said(await deliver('interactive', base('window', changes))),
    body: (changes) => formOf(withOwnUrl(base('command', changes))),
    post: (how = {}) =>
      send(how.port ?? port, requestBytes(how, { secret: slack.tokens.signingSecret, base: base('command', { text: 'show 1' }) })),
    raw: (bytes) => send(port, [Buffer.from(bytes, 'latin1')]),
    async cli(words, how = {}) {
      const end = await lockkeeper([...(how.isNobody === true ? ['--config', 'nobody.yaml'] : []), ...words], {
        cwd: flow.directory,
        env: { ...flow.env, ...(how.isSlackDown === true ? { SLACK_API_URL: 'http://127.0.0.1:1/api/' } : {}) },
      })
      return plain(`${end.out}${end.err}(exit ${end.code})`)
    },
    async snapshot() {
      const rows = await Promise.all(
        tables.map((table) =>
          store.query(
            `select to_jsonb(t) - '{drawn_revision,draw_after,draw_lease,draw_owner}'::text[] as row from lockkeeper.${table} t order by 1`,
          ),
        ),
      )
      const targets = await Promise.all(['prod', 'staging', 'old'].map((name) => fingerprint(flow.behind(name).database.url)))
      const messages = slack
        .state()
        .messages.filter(({ ephemeralTo }) => ephemeralTo === null)
        .map(({ channel, ts, text, blocks }) => ({ channel, ts, text, blocks }))
      return { rows: Object.fromEntries(tables.map((name, at) => [name, rows[at]])), targets, messages, files: filesBelow(flow.directory) }
    },
    audit: () => store.query<AuditRow>('select * from lockkeeper.audit order by id'),
    close: flow.close,
  }
}

/** What stands here when nobody is told anything. */
export const SILENT = '(nothing is said)'

const steadyTimes = (text: string): string => asPlainTimes(text).replace(/`[0-9a-f]{8}`/g, '`{plan}`')
const asPlainTimes = (text: string): string => text.replace(/<!date\^\d+\^[^>]*>/g, '{time}')

/** Parts of `changes` replace those of `base`; undefined takes a part away. */
function merged(base: unknown, changes: unknown): unknown {
  if (!isObject(base) || !isObject(changes)) return changes
  const result: Record<string, unknown> = { ...base }
  for (const name of Object.keys(changes)) {
    if (name === '__proto__') Object.defineProperty(result, name, { value: changes[name], enumerable: true })
    else if (changes[name] === undefined) delete result[name]
    else result[name] = name in base ? merged(base[name], changes[name]) : changes[name]
  }
  return result
}

const formOf = (fields: Json): string =>
  new URLSearchParams(Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)])).toString()

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

function requestBytes(how: Post, given: { readonly secret: string; readonly base: Json }): readonly Buffer[] {
  const body = Buffer.from(how.body ?? formOf(given.base))
  const timestamp = how.timestamp ?? String(Math.floor(Date.now() / 1000) - (how.age ?? 0))
  const right = `v0=${createHmac('sha256', how.secret ?? given.secret)
    .update(`v0:${timestamp}:`)
    .update(body)
    .digest('hex')}`
  const sent = how.instead === undefined ? body : Buffer.from(how.instead)
  const headers: (readonly [string, string])[] = [
    ['host', 'localhost'],
    ['content-type', how.type ?? 'application/x-www-form-urlencoded'],
    ...(how.chunked === true ? [['transfer-encoding', 'chunked'] as const] : [['content-length', String(sent.length)] as const]),
    ['x-slack-request-timestamp', timestamp],
    ['x-slack-signature', how.signature?.(right) ?? right],
    ...(how.more ?? []),
  ]
  const head = headers.filter(([name]) => how.without?.includes(name) !== true).map(([name, value]) => `${name}: ${value}\r\n`)
  const start = Buffer.from(
    `${how.method ?? 'POST'} ${how.path ?? '/slack/events'} HTTP/1.1\r\n${head.join('')}connection: close\r\n\r\n`,
    'latin1',
  )
  return how.chunked === true ? [start, Buffer.from(`${sent.length.toString(16)}\r\n`), sent, Buffer.from('\r\n0\r\n\r\n')] : [start, sent]
}

/** Each status that comes back, with what stands in the body; `closed` when the connection ends without one. */
export function send(port: number, parts: readonly Buffer[], whenIdleMs = 12_000): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect(port, '127.0.0.1')
  let received = ''
  const end = () => {
    const answers = [...received.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => match[1])
    const body = received
      .slice(received.indexOf('\r\n\r\n') + 4)
      .replace(/^0\r\n|\r\n0\r\n|^[0-9a-f]+\r\n/g, '')
      .trim()
    resolve(answers.length === 0 ? 'closed' : `${answers.join(' and ')}${body === '' || answers.length > 1 ? '' : ` ${body}`}`)
    socket.destroy()
  }
  socket.setTimeout(whenIdleMs, end)
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')))
  socket.on('error', () => {}) // it is cut off while it still writes; what came back counts
  socket.on('close', end)
  socket.on('connect', () => parts.forEach((part) => socket.write(part)))
  return promise
}

function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(directory, entry.name)
      if (
        entry.name === 'node_modules' ||
        entry.name === 'modules' ||
        entry.name === 'FETCH_HEAD' ||
        entry.name.startsWith('audit-witness')
      )
        return []
      return entry.isDirectory() ? filesBelow(path) : [`${path} ${entry.isFile() ? statSync(path).size : ''}`]
    })
    .toSorted((a, b) => (a < b ? -1 : 1))
}
