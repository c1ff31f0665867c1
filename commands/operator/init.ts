import { writeFile } from 'node:fs/promises'
import { cancel, confirm, intro, isCancel, note, outro, text } from '@clack/prompts'
import { stringify } from 'yaml'
import { approver, secret } from '../../src/config/keys/basics.ts'

/** What `init` asks for. The file that comes of it is complete: every other key has a safe default. */
export type InitAnswers = {
  readonly target: string
  readonly label: string
  readonly channel: string
  readonly repository: string
  readonly branch: string
  readonly directory: string
  readonly databaseUrl: string
  readonly approvers: readonly string[]
  readonly required: number
  /** The clone that the live application runs from, on this machine; empty when something else moves the code. */
  readonly live: string
  /** Empty for none. */
  readonly restart: string
  /** Empty for none. */
  readonly health: string
}

/** The text of lockkeeper.yaml. Only what differs from the defaults stands in it. */
export function configText(answers: InitAnswers): string {
  const target = {
    label: answers.label,
    channel: answers.channel,
    source: {
      repository: answers.repository,
      branch: answers.branch,
      ...(answers.directory === '.' ? {} : { directory: answers.directory }),
    },
    database: { url: answers.databaseUrl },
    tool: 'prisma',
    approvals: { required: answers.required, from: answers.approvers },
    ...deployOf(answers),
    ...(answers.health === '' ? {} : { health: [{ http: answers.health }] }),
  }
  return [
    '# yaml-language-server: $schema=./lockkeeper.schema.json',
    '# Secrets are references (env:NAME or file:/path), never values. Tokens come from SLACK_BOT_TOKEN and SLACK_APP_TOKEN.',
    '# `lockkeeper check` says whether all of it works; docs/configuration.md lists every key.',
    stringify({ slack: { mode: 'socket' }, targets: { [answers.target]: target } }, { lineWidth: 140 }),
  ].join('\n')
}

/** Asks, writes the file (never over an existing one without a yes), says what to do next. False when the person gave up. */
export async function runInit(path: string, exists: boolean): Promise<boolean> {
  intro('Lockkeeper writes its configuration')
  if (exists && (await asked(confirm({ message: `${path} exists. Replace it?`, initialValue: false }))) !== true) return gaveUp()
  const answers = await ask()
  if (answers === undefined) return gaveUp()
  await writeFile(path, configText(answers), { mode: 0o644 })
  note(nextSteps(path, answers), 'Next')
  outro(`${path} is written.`)
  return true
}

/** A live clone is moved to the approved commit, fetched beforehand while nothing is touched yet. */
function deployOf({ live, restart }: InitAnswers) {
  const inLive = live === '' ? {} : { cwd: live }
  const restarting = restart === '' ? [] : [{ name: 'Restart', ...inLive, run: words(restart), repeatable: true }]
  if (live === '') return restarting.length === 0 ? {} : { deploy: restarting }
  return {
    prepare: [{ name: 'Fetch', ...inLive, run: ['git', 'fetch', '--quiet', 'origin'] }],
    deploy: [
      { name: 'Switch', ...inLive, run: ['git', 'checkout', '--quiet', '--detach', '{commit}'], repeatable: true },
      { name: 'Install', ...inLive, run: ['npm', 'ci'], repeatable: true },
      ...restarting,
    ],
    current: ['git', '-C', live, 'rev-parse', 'HEAD'],
  }
}

const words = (command: string) => command.split(/\s+/).filter((word) => word !== '')

function notEmpty(value: string) {
  return value === '' ? 'It cannot be empty.' : undefined
}

type Question = {
  readonly message: string
  /** What Enter alone answers. */
  readonly fallback?: string
  readonly hint?: string
  /** The fault in an answer, if there is one. */
  readonly fault?: (value: string) => string | undefined
}

const questions = {
  target: {
    message: 'Name of the target, as people will type it',
    fallback: 'prod',
    fault: (value) =>
      /^[a-z][a-z0-9-]{0,30}$/.test(value) ? undefined : 'Small letters, digits and dashes, beginning with a letter; at most 31.',
  },
  label: { message: 'How it is called in messages', fallback: 'Production' },
  channel: {
    message: 'Slack channel id for the requests (channel details, at the very bottom)',
    hint: 'C0123456789',
    fault: (value) => (/^[CG][A-Z0-9]+$/.test(value) ? undefined : 'An id such as C0123456789, not the name.'),
  },
  repository: { message: 'Git repository of the application (URL or path)', hint: 'git@github.com:example/shop.git', fault: notEmpty },
  branch: { message: 'Branch from which it is deployed', fallback: 'main' },
  directory: { message: 'Directory of the application in the repository', fallback: '.' },
  databaseUrl: {
    message: 'Where the database URL is (a direct one, not a pooler’s): env:NAME or file:/path',
    fallback: 'env:PROD_DATABASE_URL',
    fault: (value) => secret.safeParse(value).error?.issues[0]?.message,
  },
  approvers: {
    message: 'Who may approve (user:U… or group:S…, with commas)',
    hint: 'group:S0123456789, user:U0123456789',
    fault: (value) =>
      list(value).every((one) => approver.safeParse(one).success) && list(value).length > 0
        ? undefined
        : 'For example group:S0123456789, user:U0123456789',
  },
  required: {
    message: 'How many of them have to agree (the asker never counts)',
    fallback: '1',
    fault: (value) => (/^([1-9]|10)$/.test(value) ? undefined : 'A number from 1 to 10.'),
  },
  live: {
    message: 'Git clone on this machine that the live application runs from (Enter for none)',
    fallback: '',
    hint: '/srv/shop',
    fault: (value) => (value === '' || value.startsWith('/') ? undefined : 'An absolute path.'),
  },
  restart: {
    message: 'Command that restarts the application (Enter for none)',
    fallback: '',
    hint: 'pm2 restart shop',
    fault: (value) =>
      /["'`|&;<>$\\]/.test(value) ? 'Plain words only: it runs without a shell. More can be written into the file.' : undefined,
  },
  health: {
    message: 'Health endpoint (Enter for none)',
    fallback: '',
    hint: 'https://shop.example/health',
    fault: (value) => (value === '' || (URL.canParse(value) && /^https?:/.test(value)) ? undefined : 'A URL that begins with https://.'),
  },
} as const satisfies Readonly<Record<keyof InitAnswers, Question>>

async function ask(): Promise<InitAnswers | undefined> {
  const given = new Map<string, string>()
  for (const [name, question] of Object.entries(questions)) {
    const answer = await line(question)
    if (answer === undefined) return undefined
    given.set(name, answer)
  }
  const of = (name: keyof InitAnswers) => given.get(name) ?? ''
  return {
    target: of('target'),
    label: of('label'),
    channel: of('channel'),
    repository: of('repository'),
    branch: of('branch'),
    directory: of('directory'),
    databaseUrl: of('databaseUrl'),
    approvers: list(of('approvers')),
    required: Number(of('required')),
    live: of('live'),
    restart: of('restart'),
    health: of('health'),
  }
}

const list = (value: string) =>
  value
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')

/** What Enter alone answers stands there in grey, and typing replaces it. */
async function line({ message, fallback, hint, fault }: Question): Promise<string | undefined> {
  const taken = (value: string | undefined) => ((value ?? '').trim() === '' ? (fallback ?? '') : (value ?? '').trim())
  const answer = await asked(
    text({
      message,
      placeholder: hint ?? fallback ?? '',
      defaultValue: fallback ?? '',
      validate: (value) => fault?.(taken(value)),
    }),
  )
  return typeof answer === 'string' ? taken(answer) : undefined
}

async function asked<T>(answer: Promise<T | symbol>): Promise<T | undefined> {
  const value = await answer
  return isCancel(value) ? undefined : (value as T)
}

function gaveUp(): false {
  cancel('Nothing was written.')
  return false
}

const nextSteps = (path: string, answers: InitAnswers) =>
  [
    'Create the Slack app from manifest.yml and install it into the workspace.',
    `Invite it where it posts: /invite @lockkeeper in ${answers.channel}.`,
    `Set SLACK_BOT_TOKEN, SLACK_APP_TOKEN${answers.databaseUrl.startsWith('env:') ? ` and ${answers.databaseUrl.slice(4)}` : ''}.`,
    `lockkeeper check --config ${path}`,
    `lockkeeper --config ${path}`,
  ].join('\n')
