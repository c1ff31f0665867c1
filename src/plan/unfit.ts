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
