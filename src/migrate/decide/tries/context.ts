import { isPrisma } from '../../../config/tool.ts'
import { SQL_RECORD } from '../../../plan/record.ts'
import { resolveCommand } from '../../../plan/unfit.ts'
import type { DiagnosisContext } from '../../diagnoses/diagnosis.ts'
import type { Work } from '../../observe/work.ts'

/** What a diagnosis has to know of the run. `migration`: the one that is known to have failed. */
export function diagnosisContext({ context, workspace }: Pick<Work, 'context' | 'workspace'>, migration: string | null): DiagnosisContext {
  const record = 'sql' in context.target.tool ? SQL_RECORD : null
  return {
    migration,
    target: context.target.title,
    database: workspace.parsed.database,
    host: workspace.parsed.host,
    port: workspace.parsed.port,
    role: workspace.parsed.user,
    lockTimeoutMs: context.target.database.lockTimeout,
    statementTimeoutMs: context.target.database.statementTimeout,
    ...(isPrisma(context.target.tool) ? {} : { tool: { name: workspace.tool.name, record }, recordsNothing: migration === null }),
    resolve: resolveFor({ context }),
    fileOf: (name) => workspace.approved.migrations.find((migration) => migration.name === name && workspace.tool.name !== 'Prisma')?.path,
    sqlOf: (name) => {
      const file = workspace.approved.migrations.find((migration) => migration.name === name)
      return file === undefined ? null : context.redactor.text(file.content.toString('utf8'))
    },
  }
}

/** The command that marks a migration of this target. */
export const resolveFor =
  ({ context }: Pick<Work, 'context'>) =>
  (as: 'applied' | 'rolled-back', migration: string): string =>
    resolveCommand(context.target, as, migration)
