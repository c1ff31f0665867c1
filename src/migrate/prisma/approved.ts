import { join, relative } from 'node:path'
import { migrationFile, type MigrationFile } from '../../plan/files.ts'
import { gitOutput, gitIn } from '../../plan/git.ts'
import { pathsOfMigration } from '../../plan/listed-files.ts'
import type { RunContext } from '../../request/step.ts'
import { migrationsDirectory } from '../../config/tool.ts'

export type ApprovedFiles = {
  /** Of the baseline and of the list, in Prisma's order. */
  readonly migrations: readonly (MigrationFile & { /** Below the migrations directory. */ readonly path?: string })[]
  readonly lock: Buffer | null
}

/**
 * The migrations of the approved commit, read as git objects: what an install or a build step wrote into the checkout does not count.
 * Throws when a file of the list is missing or is not the one that was approved.
 */
export async function readApproved(
  context: Pick<RunContext, 'plan' | 'checkout' | 'applicationDirectory' | 'target' | 'env' | 'redactor'>,
  /** Before there is a checkout: our own clone. */
  clone?: string,
): Promise<ApprovedFiles> {
  const { plan, checkout } = context
  const home = clone ?? checkout
  const git = gitIn({ home, varDirectory: home, redactor: context.redactor, env: context.env }, clone ?? join(checkout, '.git'))
  const directory = join(relative(checkout, context.applicationDirectory), migrationsDirectory(context.target.tool))
  const names = [...plan.baseline, ...plan.list].map(({ name }) => name)
  const { tool } = context.target
  // a tool may write a migration in several languages, and the plan has its name alone
  const candidates = names.flatMap((name) => pathsOfMigration(tool, name).map((path) => ({ name, path })))
  const paths = [join(directory, 'migration_lock.toml'), ...candidates.map(({ path }) => join(directory, path))]
  const output = await gitOutput(git, ['cat-file', '--batch'], {
    input: paths.map((path) => `${plan.commit}:${path}\n`).join(''),
    maxBytes: 128 * 1024 * 1024,
  })
  const [lock, ...contents] = splitBatch(output, paths.length)
  const migrations = candidates.flatMap(({ name, path }, at) => {
    const content = contents[at]
    return content == null ? [] : [{ ...migrationFile(name, content, null), path }]
  })
  for (const { name, sha256 } of plan.list)
    if (migrations.find((file) => file.name === name)?.sha256 !== sha256)
      throw new Error(`the migration ${name} of commit ${plan.commit.slice(0, 10)} is not the one that was approved`)
  return { migrations, lock: lock ?? null }
}

/** What the approved commit has in the migrations directory beside migrations, by path below it: a journal, snapshots. */
export async function readBeside(
  context: Pick<RunContext, 'plan' | 'checkout' | 'applicationDirectory' | 'target' | 'env' | 'redactor'>,
): Promise<ReadonlyMap<string, Buffer>> {
  const { plan, checkout, target } = context
  const git = gitIn({ home: checkout, varDirectory: checkout, redactor: context.redactor, env: context.env }, join(checkout, '.git'))
  const directory = join(relative(checkout, context.applicationDirectory), migrationsDirectory(target.tool))
  const known = new Set([...plan.baseline, ...plan.list].flatMap(({ name }) => pathsOfMigration(target.tool, name)))
  const listing = await gitOutput(git, ['ls-tree', '-r', '-z', '--name-only', `${plan.commit}:${directory}`])
  const paths = listing
    .toString('utf8')
    .split('\0')
    .filter((path) => path !== '' && !known.has(path))
  const output = await gitOutput(git, ['cat-file', '--batch'], {
    input: paths.map((path) => `${plan.commit}:${join(directory, path)}\n`).join(''),
    maxBytes: 128 * 1024 * 1024,
  })
  const contents = splitBatch(output, paths.length)
  return new Map(paths.flatMap((path, at) => (contents[at] == null ? [] : [[path, contents[at]] as const])))
}

/** `<object> blob <bytes>` LF, the bytes, LF; or `<name> missing` LF. One answer for each question, in order. */
function splitBatch(output: Buffer, answers: number): readonly (Buffer | null)[] {
  const found: (Buffer | null)[] = []
  for (let at = 0; found.length < answers;) {
    const end = output.indexOf(10, at)
    if (end === -1) throw new Error('git cat-file gave fewer answers than it was asked for')
    const bytes = / blob (\d+)$/.exec(output.subarray(at, end).toString('utf8'))?.[1]
    found.push(bytes === undefined ? null : output.subarray(end + 1, end + 1 + Number(bytes)))
    at = bytes === undefined ? end + 1 : end + 2 + Number(bytes)
  }
  return found
}
