import { setTimeout as sleep } from 'node:timers/promises'
import { connectTarget } from '../../database/connect.ts'
import { seconds } from '../../lib/text/sentences.ts'
import type { Work } from '../observe/work.ts'
import { invalidIndexes } from './schema-diff.ts'

/** Three times, since the backend of the failed try may still hold Prisma's lock for a moment. */
export async function markRolledBack({ context, workspace, timing }: Work, migration: string): Promise<boolean> {
  const cwd = workspace.layoutUpTo(migration)
  const { lockTimeout, statementTimeout } = context.target.database
  for (let at = 1; at <= 3; at++) {
    const session = {
      applicationName: `${workspace.applicationName}-resolve`,
      lockTimeoutMs: lockTimeout,
      statementTimeoutMs: statementTimeout,
    }
    const { exitCode } = await workspace.run(workspace.tool.commands.resolve(migration, 'rolled-back'), cwd, session)
    if (exitCode === 0) return true
    await sleep(timing.pollMs)
  }
  return false
}

/**
 * Drops the invalid indexes of these names (quoted, with their schema) without holding anybody up. It waits for older transactions, so it has no timeout of its own but the
 * timing's. Gives the name of one that is still there, or null.
 */
export async function dropInvalid({ context, workspace, timing, observer }: Work, names: readonly string[]): Promise<string | null> {
  const client = await connectTarget({
    url: workspace.url,
    applicationName: `${workspace.applicationName}-drop`,
    statementTimeoutMs: timing.concurrentMaximumMs,
  })
  try {
    await client.query('set lock_timeout = 0')
    for (const index of await invalidIndexes(client)) {
      if (!names.includes(index.qualified)) continue
      context.report(
        `Dropping the invalid index ${index.name} concurrently before the next try (for at most ${seconds(timing.concurrentMaximumMs)}).`,
      )
      await client.query(`drop index concurrently ${index.qualified}`)
    }
  } finally {
    await client.end().catch(() => {}) // what counts is looked at below
  }
  const left = await observer.look(invalidIndexes)
  return left.find(({ qualified }) => names.includes(qualified))?.name ?? null
}
