import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { captureChild } from '../../process/capture.ts'
import { childEnvironment, operatorPath } from '../../process/environment.ts'
import { runChild } from '../../process/run-child.ts'
import { prismaOf } from '../../config/tool.ts'
import type { Queryable } from '../../database/connect.ts'
import { readStateOf } from '../../plan/record.ts'
import type { DatabaseState } from '../../plan/status.ts'
import { readApproved, type ApprovedFiles } from './approved.ts'
import type { RunContext } from '../../request/step.ts'
import { parseTargetUrl, type TargetUrl } from '../../database/urls.ts'
import { buildLayout } from './layout.ts'
import { prismaTool } from './prisma.ts'
import type { MigrationTool, ToolSession } from './tool.ts'

/** Where and with what the migrator of one run works. */
export type Workspace = {
  readonly url: string
  readonly parsed: TargetUrl
  readonly tool: MigrationTool
  readonly approved: ApprovedFiles
  /** Attempts and notes to a successor. */
  readonly base: string
  /** The migrator's name in `pg_stat_activity`. */
  readonly applicationName: string
  /** A directory of the application whose migrations end with `last`; ready to start the tool in. */
  readonly layoutUpTo: (last: string) => string
  /** The same with one migration more, `MARKER`, which is never applied: a tool that does not see it reads another directory. */
  readonly markedLayout: (last: string) => string
  readonly environment: (session: ToolSession) => Record<string, string>
  /** What the record of this tool says now. */
  readonly readState: (client: Queryable) => Promise<DatabaseState>
  /** Runs a short command of the tool to its end; its redacted output also goes to the run's log. */
  readonly run: (
    argv: readonly string[],
    cwd: string,
    session: ToolSession,
    signal?: AbortSignal,
  ) => Promise<{ readonly exitCode: number | null; readonly output: string }>
  /** Like `run`, but standard output is the answer and stays out of the log. */
  readonly ask: (
    argv: readonly string[],
    cwd: string,
    session: ToolSession,
  ) => Promise<{ readonly exitCode: number | null; readonly stdout: string }>
}

const SHORT_MS = 60_000

/** Never shown to people: see `withoutMarker`. */
export const MARKER = 'zz_lockkeeper_looks_whether_prisma_reads_this_directory'

/** Below the run's directory; goes with its checkout. */
export const COMPILED = 'compiled'

export type WorkspaceProblem = { readonly headline: string; readonly next: string }

/** Reads what was approved and finds the tool. A problem is something that the repository or the configuration lacks. */
export async function openWorkspace(context: RunContext): Promise<Workspace | WorkspaceProblem> {
  const { target, checkout, applicationDirectory, directory } = context
  const url = context.secret(target.database.url)
  const parsed = parseTargetUrl(url)
  if (parsed.kind === 'bad')
    return { headline: `The database URL cannot be used: ${parsed.why}.`, next: 'Correct `database.url` and ask again.' }
  const settings = prismaOf(target.tool)
  const tool = prismaTool({ checkout, applicationDirectory, settings, url: parsed.url })
  if (tool === null)
    return {
      headline: 'The application brings no Prisma: there is no `node_modules/.bin/prisma` after the install.',
      next: 'Add `prisma` to its dependencies (an install for production leaves devDependencies out), then ask again.',
    }
  const approved = await readApproved(context)
  const path = target.source.path ?? operatorPath(context.env['PATH'])
  // a quarter of a start of the tool or more is compiling, which its next start is spared; of this run alone, so that no other's code gets in
  const compiled = { NODE_COMPILE_CACHE: join(directory, COMPILED) }
  const environment = (session: ToolSession) => childEnvironment(context.env, path, { ...compiled, ...tool.environment(session) })
  const layout = (last: string, more: ReadonlyMap<string, Buffer>) => {
    const upTo = approved.migrations.findIndex(({ name }) => name === last) + 1
    const files = new Map(approved.migrations.slice(0, upTo).map(({ name, content }) => [join(name, 'migration.sql'), content]))
    if (approved.lock !== null) files.set('migration_lock.toml', approved.lock)
    for (const [path, content] of more) files.set(path, content)
    return buildLayout({ ...settings, checkout, applicationDirectory, into: join(directory, 'layout'), files })
  }
  return {
    url,
    parsed: parsed.url,
    tool,
    approved,
    base: join(directory, 'migrator'),
    // two Lockkeepers with databases on one server both count their requests from 1, and a session is ended by this name
    applicationName: `lockkeeper-${context.requestId}-${context.digest.slice(0, 8)}`,
    environment,
    readState: (client) => readStateOf(client, target.tool, parsed.url.schema),
    layoutUpTo: (last) => layout(last, new Map()),
    markedLayout: (last) => layout(last, new Map([[join(MARKER, 'migration.sql'), Buffer.from('SELECT 1;\n')]])),
    async run(argv, cwd, session, signal) {
      const ending = signal === undefined ? {} : { signal }
      const end = await runChild({ argv, cwd, env: environment(session), timeoutMs: SHORT_MS, redactor: context.redactor, ...ending })
      // written in one piece, since others run at the same time
      appendFileSync(context.spool, `$ prisma ${argv.slice(1).join(' ')}\n${withoutMarker(tool.readable(end.tail))}\n`, { mode: 0o600 })
      return { exitCode: end.exitCode, output: end.tail }
    },
    async ask(argv, cwd, session) {
      const end = await captureChild({ argv, cwd, env: environment(session), timeoutMs: SHORT_MS, redactor: context.redactor })
      return { exitCode: end.exitCode, stdout: end.stdout.toString('utf8') }
    },
  }
}

/** What the tool said as if the marker had not been there: nobody but this product has put it there, and nobody else needs to know of it. */
export function withoutMarker(output: string): string {
  if (!output.includes(MARKER)) return output
  return output
    .replace(
      /^(\d+) migrations? found in/m,
      (_found, number: string) => `${Number(number) - 1} migration${number === '2' ? '' : 's'} found in`,
    )
    .replace(new RegExp(`^[ \\t]*${MARKER}[ \\t]*\\r?\\n?`, 'gm'), '')
    .replaceAll(MARKER, "(a directory of Lockkeeper's own)")
}

export const isProblem = (workspace: object): workspace is WorkspaceProblem => 'headline' in workspace
