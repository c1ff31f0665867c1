import { writeFile } from 'node:fs/promises'
import { cancel, confirm, intro, isCancel, note, outro, text } from '@clack/prompts'
import { stringify } from 'yaml'
import { approver, secret } from '../src/config/schema.ts'

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
  readonly restart: string
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
    ...(answers.restart === '' ? {} : { deploy: [{ name: 'Restart', run: answers.restart.split(/\s+/) }] }),
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

async function ask(): Promise<InitAnswers | undefined> {
  const target = await line('Name of the target, as people will type it', 'prod', (value) =>
    /^[a-z][a-z0-9-]{0,30}$/.test(value) ? undefined : 'Small letters, digits and dashes, beginning with a letter.',
  )
  if (target === undefined) return undefined
  const label = await line('How it is called in messages', 'Production')
  if (label === undefined) return undefined
  const channel = await line('Slack channel id for the requests (channel details, at the very bottom)', '', (value) =>
    /^[CG][A-Z0-9]+$/.test(value) ? undefined : 'An id such as C0123456789.',
  )
  if (channel === undefined) return undefined
  const repository = await line('Git repository of the application (URL or path)', '', notEmpty)
  if (repository === undefined) return undefined
  const branch = await line('Branch from which production is deployed', 'main', notEmpty)
  if (branch === undefined) return undefined
  const directory = await line('Directory of the application in it', '.', notEmpty)
  if (directory === undefined) return undefined
  const databaseUrl = await line(
    'Where the database URL is (a direct one, not a pooler’s)',
    'env:PROD_DATABASE_URL',
    (value) => secret.safeParse(value).error?.issues[0]?.message,
  )
  if (databaseUrl === undefined) return undefined
  const approvers = await line('Who may approve (user:U… or group:S…, with commas)', '', (value) =>
    value.split(',').every((one) => approver.safeParse(one.trim()).success) ? undefined : 'For example group:S0123456789, user:U0123456789',
  )
  if (approvers === undefined) return undefined
  const required = await line('How many of them have to agree (the asker never counts)', '1', (value) =>
    /^[1-9]$|^10$/.test(value) ? undefined : 'A number from 1 to 10.',
  )
  if (required === undefined) return undefined
  const restart = await line('Command that restarts the application (empty for none)', 'pm2 restart shop')
  if (restart === undefined) return undefined
  const health = await line('Health endpoint (empty for none)', 'https://shop.example/health', (value) =>
    value === '' || URL.canParse(value) ? undefined : 'A URL.',
  )
  if (health === undefined) return undefined
  return {
    target,
    label,
    channel,
    repository,
    branch,
    directory,
    databaseUrl,
    approvers: approvers.split(',').map((one) => one.trim()),
    required: Number(required),
    restart: restart.trim(),
    health,
  }
}

async function line(message: string, initialValue: string, validate?: (value: string) => string | undefined): Promise<string | undefined> {
  const answer = await asked(text({ message, initialValue, validate: (value) => validate?.(value ?? '') }))
  return typeof answer === 'string' ? answer : undefined
}

async function asked<T>(answer: Promise<T | symbol>): Promise<T | undefined> {
  const value = await answer
  return isCancel(value) ? undefined : (value as T)
}

const notEmpty = (value: string) => (value.trim() === '' ? 'It cannot be empty.' : undefined)

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
    'npm start',
  ].join('\n')
