import { prismaOf } from '../../config/tool.ts'
import { appendFileSync } from 'node:fs'
import { join, posix, relative } from 'node:path'
import { nodeDialect, parseTargetUrl, type TargetUrl } from '../../database/urls.ts'
import { code } from '../../lib/text/code.ts'
import { isRefusal } from '../../lib/refusal.ts'
import { gitIn } from '../../plan/git.ts'
import { whyOtherFiles, type OfRunner } from '../../plan/prisma8/compare.ts'
import type { Package } from '../../plan/prisma8/package.ts'
import { readRunnerFiles, type RunnerFiles } from '../../plan/prisma8/repository.ts'
import { childEnvironment, operatorPath } from '../../process/environment.ts'
import { runChild } from '../../process/run-child.ts'
import type { RunContext } from '../../request/step.ts'
import { installedVersion } from '../prisma/installed.ts'
import { buildLayout } from '../prisma/layout.ts'
import { findCli } from '../prisma/prisma.ts'
import { COMPILED, type WorkspaceProblem } from '../prisma/prisma-workspace.ts'
import type { ToolSession } from '../prisma/tool.ts'
import { readableOutput } from './output.ts'

/** Where and with what Prisma 8 works for one run. */
export type RunnerWorkspace = {
  readonly url: string
  readonly parsed: TargetUrl
  readonly plan: OfRunner
  readonly files: RunnerFiles
  /** The packages of the plan, in the order in which they run. */
  readonly approved: readonly Package[]
  /** Attempts and notes to a successor. */
  readonly base: string
  /** The migrator's name in `pg_stat_activity`. */
  readonly applicationName: string
  /** Argument vectors, to be run in the layout. */
  readonly commands: { readonly show: readonly string[]; readonly migrate: readonly string[]; readonly verify: readonly string[] }
  /** A directory of the application that holds what was approved and no other migration; ready to start the tool in. */
  readonly layout: () => string
  readonly environment: (session: ToolSession) => Record<string, string>
  /** Runs a short command of the tool to its end; its redacted output also goes to the run's log. */
  readonly run: (
    argv: readonly string[],
    cwd: string,
    session: ToolSession,
  ) => Promise<{ readonly exitCode: number | null; readonly output: string }>
}

/** Long enough for a configuration that does much; a start takes a second or two. */
const SHORT_MS = 60_000

/** Reads what was approved and finds the tool. A problem is something that the repository or the configuration lacks. */
export async function openRunner(context: RunContext, plan: OfRunner): Promise<RunnerWorkspace | WorkspaceProblem> {
  const { target, checkout, applicationDirectory, directory } = context
  const url = context.secret(target.database.url)
  const parsed = parseTargetUrl(url)
  if (parsed.kind === 'bad')
    return { headline: `The database URL cannot be used: ${parsed.why}.`, next: 'Correct `database.url` and ask again.' }
  const cli = findCli(checkout, applicationDirectory)
  if (cli === null)
    return {
      headline: 'The application brings no Prisma: there is no `node_modules/.bin/prisma` after the install.',
      next: 'Add `prisma` to its dependencies (an install for production leaves devDependencies out), then ask again.',
    }
  const installed = installedVersion(cli)?.version ?? null
  if (installed !== plan.prisma8.version)
    return {
      headline: `The install brought ${installed === null ? 'a Prisma that does not say its version' : `Prisma ${installed}`}, and ${code(plan.prisma8.version)} was approved.`,
      next: 'See why the install brings another one (a lock file that it does not read, a cached `node_modules`), then ask again.',
    }
  const files = await readApprovedPackages(context, plan)
  const settings = prismaOf(target.tool)
  const path = target.source.path ?? operatorPath(context.env['PATH'])
  const environment = (session: ToolSession) =>
    childEnvironment(context.env, path, {
      NODE_COMPILE_CACHE: join(directory, COMPILED), // as for 5 to 7: a start that finds what another has compiled is shorter
      ...settings.env,
      DO_NOT_TRACK: '1',
      PRISMA_DISABLE_TELEMETRY: '1',
      NO_COLOR: '1',
      // after the operator's: no setting of his may lead a variable elsewhere
      ...Object.fromEntries(settings.urls.map((name) => [name, nodeDialect(parsed.url, session)])),
    })
  return {
    url,
    parsed: parsed.url,
    plan,
    files,
    approved: plan.list.flatMap(({ name }) => files.packages.find((one) => one.name === name) ?? []),
    base: join(directory, 'migrator'),
    applicationName: `lockkeeper-${context.requestId}-${context.digest.slice(0, 8)}`,
    commands: {
      show: [cli, 'db', 'migrate', '--show', '--to', plan.prisma8.contract.hash],
      migrate: [cli, 'db', 'migrate', '--to', plan.prisma8.contract.hash],
      verify: [cli, 'db', 'verify'],
    },
    layout: () =>
      buildLayout({
        schema: relative(applicationDirectory, join(checkout, files.contract.path)),
        migrations: relative(applicationDirectory, join(checkout, files.directory)),
        checkout,
        applicationDirectory,
        into: join(directory, 'layout'),
        files: filesOf(files, plan),
        approvedSchema: files.contract.content,
      }),
    environment,
    async run(argv, cwd, session) {
      const end = await runChild({ argv, cwd, env: environment(session), timeoutMs: SHORT_MS, redactor: context.redactor })
      appendFileSync(context.spool, `$ prisma ${argv.slice(1).join(' ')}\n${readableOutput(end.tail)}\n`, { mode: 0o600 })
      return { exitCode: end.exitCode, output: end.tail }
    },
  }
}

/** From git: what an install or a build step wrote into the checkout does not count. Throws when it is not what was approved. */
async function readApprovedPackages(context: RunContext, plan: OfRunner): Promise<RunnerFiles> {
  const { checkout, redactor, env, target } = context
  const git = gitIn({ home: checkout, varDirectory: checkout, redactor, env }, join(checkout, '.git'))
  const files = await readRunnerFiles({ git }, target, plan.commit)
  if (isRefusal(files)) throw new Error(`commit ${plan.commit.slice(0, 10)} can no longer be read: ${files.text}`)
  const other = whyOtherFiles(plan, files)
  if (other !== null) throw new Error(`commit ${plan.commit.slice(0, 10)} is not what was approved: ${other}`)
  return files
}

/** By path below the directory of migrations: the packages of the plan and of its baseline, and every contract that they lead from or to. */
function filesOf(files: RunnerFiles, plan: OfRunner): ReadonlyMap<string, Buffer> {
  const names = new Set([...plan.baseline, ...plan.list].map(({ name }) => name))
  const packages = files.packages.filter(({ name }) => names.has(name))
  const contracts = new Set(packages.flatMap(({ from, to }) => [from, to]))
  return new Map([
    ...packages.flatMap(
      ({ name, files: { metadata, operations } }) =>
        [
          [posix.join('app', name, 'migration.json'), metadata],
          [posix.join('app', name, 'ops.json'), operations],
        ] as const,
    ),
    ...[...files.snapshots].flatMap(([hash, content]) =>
      contracts.has(hash) ? [[posix.join('snapshots', hash, 'contract.json'), content] as const] : [],
    ),
  ])
}
