import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { migrationsDirectory } from '../../config/tool.ts'
import { parseTargetUrl, type TargetUrl } from '../../database/urls.ts'
import { pathsOfMigration } from '../../plan/listed-files.ts'
import { readScript } from '../../sql/parse.ts'
import { standsAlone } from '../../sql/transactions.ts'
import { readStateOf } from '../../plan/record.ts'
import { captureChild } from '../../process/capture.ts'
import { childEnvironment, operatorPath } from '../../process/environment.ts'
import { runChild } from '../../process/run-child.ts'
import type { RunContext } from '../../request/step.ts'
import { readApproved, readBeside, type ApprovedFiles } from '../prisma/approved.ts'
import { buildLayout } from '../prisma/layout.ts'
import { openWorkspace, type Workspace, type WorkspaceProblem } from '../prisma/prisma-workspace.ts'
import type { MigrationTool, ToolSession } from '../prisma/tool.ts'
import { commandTool } from './command.ts'
import { sqlTool } from './sql.ts'

/** Of whatever tool the target has. */
export async function openAnyWorkspace(context: RunContext): Promise<Workspace | WorkspaceProblem> {
  const { target } = context
  if ('prisma' in target.tool) return openWorkspace(context)
  const url = context.secret(target.database.url)
  const parsed = parseTargetUrl(url)
  if (parsed.kind === 'bad')
    return { headline: `The database URL cannot be used: ${parsed.why}.`, next: 'Correct `database.url` and ask again.' }
  const approved = await readApproved(context)
  const outside = 'sql' in target.tool ? await outsideOf(approved) : new Set<string>()
  const tool =
    'sql' in target.tool
      ? sqlTool({ url, schema: parsed.url.schema, target })
      : commandTool({ settings: target.tool.command, url: parsed.url, files: openOf(context, approved) })
  const beside = 'command' in target.tool ? await readBeside(context) : new Map<string, Buffer>()
  const layoutUpTo = (last: string) =>
    'sql' in target.tool ? sqlLayout(context, approved, outside, last) : commandLayout(context, approved, beside, last)
  return { ...common(context, parsed.url, tool), url, parsed: parsed.url, tool, approved, layoutUpTo, markedLayout: layoutUpTo }
}

const SHORT_MS = 60_000

function common(
  context: RunContext,
  parsed: TargetUrl,
  tool: MigrationTool,
): Pick<Workspace, 'base' | 'applicationName' | 'environment' | 'run' | 'ask' | 'readState'> {
  const { target, directory } = context
  const path = target.source.path ?? operatorPath(context.env['PATH'])
  const environment = (session: ToolSession) => childEnvironment(context.env, path, tool.environment(session))
  return {
    base: join(directory, 'migrator'),
    applicationName: `lockkeeper-${context.requestId}-${context.digest.slice(0, 8)}`,
    environment,
    readState: (client) => readStateOf(client, target.tool, parsed.schema),
    async run(argv, cwd, session, signal) {
      const ending = signal === undefined ? {} : { signal }
      const end = await runChild({ argv, cwd, env: environment(session), timeoutMs: SHORT_MS, redactor: context.redactor, ...ending })
      appendFileSync(context.spool, `${tool.readable(end.tail)}\n`, { mode: 0o600 })
      return { exitCode: end.exitCode, output: end.tail }
    },
    async ask(argv, cwd, session) {
      const end = await captureChild({ argv, cwd, env: environment(session), timeoutMs: SHORT_MS, redactor: context.redactor })
      return { exitCode: end.exitCode, stdout: end.stdout.toString('utf8') }
    },
  }
}

/** Those that this run applies. */
const openOf = ({ plan }: RunContext, { migrations }: ApprovedFiles) =>
  migrations.filter(({ name }) => plan.list.some((one) => one.name === name))

const upTo = ({ migrations }: ApprovedFiles, last: string) => migrations.slice(0, migrations.findIndex(({ name }) => name === last) + 1)

/** Those whose only statement cannot run inside a transaction. */
async function outsideOf({ migrations }: ApprovedFiles): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for (const { name, content } of migrations) {
    const script = await readScript(content)
    if (script.kind === 'sql' && script.statements.length === 1 && script.statements.every(standsAlone)) found.add(name)
  }
  return found
}

/** What our own migrator reads: no checkout is needed. */
function sqlLayout(context: RunContext, approved: ApprovedFiles, outside: ReadonlySet<string>, last: string): string {
  const { target } = context
  const into = join(context.directory, 'layout')
  const files = upTo(approved, last)
  const isAdopted = 'sql' in target.tool && target.tool.sql.baseline !== undefined
  rmSync(into, { recursive: true, force: true })
  mkdirSync(join(into, 'files'), { recursive: true, mode: 0o700 })
  for (const { name, content } of files) writeFileSync(join(into, 'files', `${name}.sql`), content, { mode: 0o600 })
  const order = {
    files: files.map(({ name }) => ({ name, isOutside: outside.has(name) })),
    // approved as applied already: the migrator decides nothing about that
    assumed: isAdopted ? context.plan.baseline.length : 0,
  }
  writeFileSync(join(into, 'order.json'), JSON.stringify(order), { mode: 0o600 })
  return into
}

/** A shadow of the checkout whose migrations directory holds what was approved, and what the commit has beside it (a journal). */
function commandLayout(context: RunContext, approved: ApprovedFiles, beside: ReadonlyMap<string, Buffer>, last: string): string {
  const { checkout, applicationDirectory, directory, target } = context
  const files = new Map(beside)
  for (const { name, content, path } of upTo(approved, last)) files.set(path ?? pathsOfMigration(target.tool, name)[0] ?? name, content)
  const into = join(directory, 'layout')
  const migrations = migrationsDirectory(target.tool)
  return buildLayout({ checkout, applicationDirectory, schema: null, migrations, into, files })
}
