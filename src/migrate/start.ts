import { appendFileSync } from 'node:fs'
import { failpoint } from '../lib/failpoint.ts'
import { count } from '../lib/text/sentences.ts'
import { startAttempt, stateOf } from './attempts/attempt.ts'
import type { Group } from './attempts/groups.ts'
import { tryText } from './decide/tries/tries.ts'
import { nextTransaction } from './decide/schema-diff.ts'
import { whyOther } from './observe/database-proof.ts'
import type { Work } from './observe/work.ts'
import type { ToolVersion } from './prisma/tool.ts'
import { timeoutsOf } from './question.ts'

/** Starts one `migrate deploy`, detached, and waits until it has begun. */
export async function startGroup(work: Work, group: Group, { atomic }: ToolVersion): Promise<void> {
  const { context, workspace, observer } = work
  const last = group.migrations.at(-1)
  if (last === undefined) return
  const other = await observer.look((client) => whyOther(client, workspace.parsed, context.plan.identity))
  if (other !== null) throw new Error(`the database is no longer the one that was approved: ${other}`)
  const cwd = workspace.layoutUpTo(last.name)
  const session = group.concurrently
    ? { applicationName: workspace.applicationName, lockTimeoutMs: 0, statementTimeoutMs: 0 }
    : { applicationName: workspace.applicationName, ...timeoutsOf(context) }
  failpoint('before-migrator-start')
  appendFileSync(context.spool, `$ ${workspace.tool.shown}\n`, { mode: 0o600 })
  await context.audit('migrator', 'started', { migrations: group.migrations.map(({ name }) => name) })
  const attempt = startAttempt(
    workspace.base,
    {
      migrations: group.migrations.map(({ name }) => name),
      concurrently: group.concurrently,
      sinceXid: await observer.look(nextTransaction),
      startedAt: Date.now(),
      atomic,
    },
    { argv: workspace.tool.commands.deploy, cwd, env: workspace.environment(session) },
  )
  const what = group.concurrently ? `${last.name}, outside a transaction` : count(group.migrations.length, 'migration')
  context.report(`${tryText(work, attempt)}Starting ${what}.`)
  await stateOf(attempt)
}
