import type { Target } from '../../config/config.ts'
import { isRefusal, type Refusal } from '../../lib/refusal.ts'
import type { PlanDeps } from '../deps.ts'
import { migrationFile, type MigrationFile } from '../files.ts'
import { readAnyFiles } from '../listed-files.ts'
import { pendingSql, visibleSql } from '../pending-sql.ts'
import type { Evidence, Plan } from '../plan.ts'
import { readRunnerFiles } from '../prisma8/repository.ts'
import { operationsText, pendingOperations } from '../prisma8/text.ts'
import { fetchRepository } from '../repository.ts'

/** The migrations of a plan, whatever tool they are for. */
export type PlannedFiles = {
  /** With the bytes whose checksum is in the plan: of `migration.sql`, or of Prisma 8's `ops.json`. */
  readonly migrations: readonly MigrationFile[]
  /** What each runs, to be read. */
  readonly texts: readonly { readonly name: string; readonly sql: string }[]
  /** All of it as one text for the thread. */
  readonly asFile: (about: { readonly evidence: Evidence | null }) => string
}

export async function readPlannedFiles(deps: PlanDeps, target: Target, plan: Plan): Promise<PlannedFiles | Refusal> {
  const repository = await fetchRepository(deps, target)
  if (isRefusal(repository)) return repository
  const about = { target: target.name, commit: plan.commit }
  if (plan.prisma8 !== undefined) {
    const files = await readRunnerFiles(repository, target, plan.commit)
    if (isRefusal(files)) return files
    const packages = plan.list.flatMap(({ name }) => files.packages.find((one) => one.name === name) ?? [])
    return {
      migrations: packages.map(({ name, files: { operations } }) => migrationFile(name, operations, null)),
      texts: packages.map((one) => ({ name: one.name, sql: operationsText(one) })),
      asFile: ({ evidence }) => pendingOperations(packages, { ...about, version: files.prisma, evidence: evidence?.migrations ?? [] }),
    }
  }
  const files = await readAnyFiles(repository, target, plan.commit)
  if (isRefusal(files)) return files
  const wanted = new Set(plan.list.map(({ name }) => name))
  const migrations = files.migrations.filter(({ name }) => wanted.has(name))
  return {
    migrations,
    texts: migrations.map(({ name, content }) => ({ name, sql: visibleSql(content.toString('utf8')) })),
    asFile: ({ evidence }) => pendingSql(migrations, { ...about, evidence: evidence?.migrations ?? [], weighed: evidence?.findings ?? [] }),
  }
}
