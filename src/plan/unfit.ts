import { posix } from 'node:path'
import type { Queryable } from '../database/connect.ts'
import { readSyntax } from '../database/server-syntax.ts'
import { whyRecordLost } from '../sql/left-settings.ts'
import { readScript } from '../sql/parse.ts'
import type { ReviewContext, ReviewedMigration } from '../sql/review.ts'
import { whyRefusedByServer, whyUnrunnable } from '../sql/unrunnable.ts'
import type { MigrationFile } from './files.ts'
import type { Target } from '../config/config.ts'
import { refuse, type Refusal } from '../lib/refusal.ts'
import { inShell } from '../lib/text/code.ts'
import { dateText } from '../lib/text/text.ts'
import type { Session } from '../database/activity.ts'
import type { MigrationStatus, Status } from './status.ts'
import { listed, quoted } from '../lib/text/quoted.ts'

/** Why nothing may be deployed onto this state of a target; null when it may. What is the hardest to put right comes first. */
export function whyNotDeployable(found: {
  readonly target: Target
  readonly status: Status
  readonly lock: Session | null
}): Refusal | null {
  const { target, status } = found
  const name = quoted(target.name)
  const no = (text: string) => refuse('target_unfit', text)
  if (status.baseline === 'missing')
    return no(
      `${name} has tables but no record of migrations, so Prisma refuses to deploy (P3005). If its schema already equals the first migrations, record each by hand (${resolveWords(target, 'applied', '<migration>')}) and ask again.`,
    )
  const running = status.running[0]
  if (running !== undefined)
    return no(
      `${quoted(running.name)} is being applied to ${name} right now by another Prisma (process ${found.lock?.pid ?? 'unknown'} of the server). Wait until it ends and ask again.`,
    )
  const failed = status.failed[0]
  if (failed !== undefined) return no(failedText(target, failed))
  if (status.unknown.length > 0)
    return no(
      `${name} has ${status.unknown.length === 1 ? 'a migration' : 'migrations'} that this commit does not have: ${names(status.unknown)}. It was probably deployed from another branch. Merge that branch first, or ask with \`--ref\` for a commit that has ${status.unknown.length === 1 ? 'it' : 'them'}.`,
    )
  if (status.edited.length > 0)
    return no(
      `${names(status.edited)} ${status.edited.length === 1 ? 'was' : 'were'} applied to ${name} with another content than this commit has. An applied migration is never edited: restore the file as it was applied and put the change into a new migration.`,
    )
  return null
}

function failedText(target: Target, failed: MigrationStatus): string {
  const started = failed.row === null ? '' : `, started ${dateText(failed.row.startedAt, 'day')},`
  return (
    `${quoted(failed.name)}${started} failed on ${quoted(target.name)} and blocks every other (P3009). Look at what it left in the database, put that right, ` +
    `and record the outcome by hand: ${resolveCommand(target, 'rolled-back', failed.name)} if nothing of it is there, or ${resolveCommand(target, 'applied', failed.name)} if all of it is. Then ask again.`
  )
}

/** The exact words to type, in the application's directory with the target's URL set; as code. */
export const resolveCommand = (target: Pick<Target, 'tool'>, as: 'applied' | 'rolled-back', migration: string): string =>
  resolveWords(target, as, inShell(migration))

function resolveWords({ tool }: Pick<Target, 'tool'>, as: 'applied' | 'rolled-back', word: string): string {
  const schema = tool.prisma.schema === 'prisma/schema.prisma' ? [] : ['--schema', inShell(tool.prisma.schema)]
  return quoted(['npx prisma migrate resolve', `--${as}`, word, ...schema].join(' '), 400)
}

const names = (migrations: readonly MigrationStatus[]) => listed(migrations.map(({ name }) => name))

/** Why one of the files can never be applied, whatever the database. */
export async function firstUnrunnable(target: Target, files: readonly MigrationFile[], oneScript: boolean): Promise<string | null> {
  for (const { name, content } of files) {
    const why = await whyUnrunnable(pathOf(target, name), content, oneScript)
    if (why !== null) return why
  }
  return null
}

type ReadByServer = NonNullable<ReviewContext['readByServer']>

/** The server reads the files, and runs nothing of them: it alone knows its language. A text is why one of them cannot be applied there. */
export async function readByServer(
  client: Queryable,
  target: Target,
  files: readonly MigrationFile[],
  oneScript: boolean,
): Promise<string | ReadByServer> {
  if (files.length === 0) return { version: '', names: new Set() }
  const texts = files.map(({ content }) => content.toString('utf8'))
  // a file that is sent piece by piece may change how what follows is read
  const isFixed = oneScript || !texts.some((text) => /standard_conforming_strings|backslash_quote/i.test(text))
  const readable = await Promise.all(files.map(async ({ content }) => (await readScript(content)).kind === 'sql'))
  const { version, answers } = await readSyntax(
    client,
    texts.map((text, at) => ({ text, isWhole: readable[at] === true })),
  )
  for (const [at, answer] of answers.entries()) {
    const file = files[at]
    if (file === undefined || answer.kind !== 'refused' || !isFixed) continue
    return whyRefusedByServer(pathOf(target, file.name), file.content, { ...answer, version, isReadable: readable[at] === true })
  }
  return { version, names: new Set(files.flatMap(({ name }, at) => (answers[at]?.kind === 'read' ? [name] : []))) }
}

/** Prisma writes its record in the session that a file leaves. */
export function firstLost(
  target: Target,
  files: readonly MigrationFile[],
  reviews: readonly ReviewedMigration[],
  schema: string,
): string | null {
  for (const { name } of files) {
    const leaves = reviews.find((review) => review.name === name)?.leaves ?? []
    const why = whyRecordLost(pathOf(target, name), leaves, schema)
    if (why !== null) return why
  }
  return null
}

const pathOf = ({ source, tool }: Target, name: string): string =>
  posix.join(source.directory, tool.prisma.migrations, name, 'migration.sql')
