import { posix } from 'node:path'
import { isPrisma, migrationsDirectory, prismaOf, toolName } from '../config/tool.ts'
import { code } from '../lib/text/code.ts'
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
import { isTransactionStatement } from '../sql/transactions.ts'
import { pathsOfMigration } from './listed-files.ts'
import { SQL_RECORD } from './record.ts'
import type { MigrationStatus, Status } from './status.ts'
import { listed, plainText, quoted } from '../lib/text/quoted.ts'

/** Why nothing may be deployed onto this state of a target; null when it may. What is the hardest to put right comes first. */
export function whyNotDeployable(found: {
  readonly target: Target
  readonly status: Status
  readonly lock: Session | null
}): Refusal | null {
  const { target, status } = found
  const name = quoted(target.name)
  const no = (text: string) => refuse('target_unfit', text)
  if (status.baseline === 'missing') return no(withoutRecord(target, name))
  const running = status.running[0]
  if (running !== undefined)
    return no(
      `${quoted(running.name)} is being applied to ${name} right now by another ${toolName(target.tool)} (process ${found.lock?.pid ?? 'unknown'} of the server). Wait until it ends and ask again.`,
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

function withoutRecord(target: Target, name: string): string {
  const { tool } = target
  const has = `${name} has tables but no record of migrations`
  if ('sql' in tool && tool.sql.baseline !== undefined)
    return `${has} (${quoted(SQL_RECORD)}), and this commit has no file that ${code('tool.sql.baseline')} of this target in lockkeeper.yaml names: ${quoted(tool.sql.baseline)}. Write the name of the last file that is in it already, without ${quoted('.sql')}, and ask again.`
  if ('sql' in tool)
    return `${has} (${quoted(SQL_RECORD)}), so nobody can say which of the files they come from. Name the last file that is in it already (${code('tool: { sql: { baseline: … } }')} of this target in lockkeeper.yaml) and ask again.`
  if ('command' in tool)
    return `${has} that the query ${quoted(tool.command.applied, 120)} finds, so ${plainText(tool.command.name)} would run every migration from the first. Let it record what is there already, or correct the query, and ask again.`
  return `${has}, so Prisma refuses to deploy (P3005). If its schema already equals the first migrations, record each by hand (${resolveWords(target, 'applied', '<migration>')}) and ask again.`
}

function failedText(target: Target, failed: MigrationStatus): string {
  const started = failed.row === null ? '' : `, started ${dateText(failed.row.startedAt, 'day')},`
  return (
    `${quoted(failed.name)}${started} failed on ${quoted(target.name)} and blocks every other${isPrisma(target.tool) ? ' (P3009)' : ''}. Look at what it left in the database, put that right, ` +
    `and record the outcome by hand: ${resolveCommand(target, 'rolled-back', failed.name)} if nothing of it is there, or ${resolveCommand(target, 'applied', failed.name)} if all of it is. Then ask again.`
  )
}

/** The exact words to type, in the application's directory with the target's URL set, or in psql; as code. */
export const resolveCommand = (target: Pick<Target, 'tool'>, as: 'applied' | 'rolled-back', migration: string): string =>
  'prisma' in target.tool ? resolveWords(target, as, inShell(migration)) : resolveStatement(as, migration)

/** The record of plain SQL is Lockkeeper's own. Only a file that runs outside of a transaction can leave it open. */
const resolveStatement = (as: 'applied' | 'rolled-back', migration: string): string =>
  quoted(
    `update ${SQL_RECORD} set ${as === 'applied' ? 'finished_at' : 'rolled_back_at'} = now() where migration_name = '${migration.replaceAll("'", "''")}' and finished_at is null;`,
    400,
  )

function resolveWords({ tool }: Pick<Target, 'tool'>, as: 'applied' | 'rolled-back', word: string): string {
  const { schema: path } = prismaOf(tool)
  const schema = path === 'prisma/schema.prisma' ? [] : ['--schema', inShell(path)]
  return quoted(['npx prisma migrate resolve', `--${as}`, word, ...schema].join(' '), 400)
}

const names = (migrations: readonly MigrationStatus[]) => listed(migrations.map(({ name }) => name))

/** Why one of the files can never be applied, whatever the database. */
export async function firstUnrunnable(target: Target, files: readonly MigrationFile[], oneScript: boolean): Promise<string | null> {
  for (const { name, content, program } of files) {
    if (program !== undefined) continue
    const why = (await whyUnrunnable(pathOf(target, name), content, oneScript)) ?? (await whyOwnTransaction(target, name, content))
    if (why !== null) return why
  }
  return null
}

/** Plain SQL is applied and recorded in one transaction, which a file must not end. */
async function whyOwnTransaction(target: Target, name: string, content: Buffer): Promise<string | null> {
  if (!('sql' in target.tool)) return null
  const script = await readScript(content)
  const found = script.kind === 'sql' ? script.statements.findIndex(isTransactionStatement) : -1
  if (script.kind !== 'sql' || found === -1) return null
  return `${quoted(pathOf(target, name))} has ${quoted(script.texts[found]?.trim().split('\n').at(-1) ?? '', 40)} inside. Lockkeeper applies each file and records it in one transaction of its own. Take it out and ask again.`
}

type ReadByServer = NonNullable<ReviewContext['readByServer']>

/** The server reads the files, and runs nothing of them: it alone knows its language. A text is why one of them cannot be applied there. */
export async function readByServer(
  client: Queryable,
  target: Target,
  all: readonly MigrationFile[],
  oneScript: boolean,
): Promise<string | ReadByServer> {
  const files = all.filter(({ program }) => program === undefined)
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
  posix.join(source.directory, migrationsDirectory(tool), pathsOfMigration(tool, name)[0] ?? name)
