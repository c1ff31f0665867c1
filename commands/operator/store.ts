import { parseArgs } from 'node:util'
import { asPlainText } from '../../approvals/wording.ts'
import { takeOver } from '../../src/audit/split-brain.ts'
import { writeAudit } from '../../src/audit/write.ts'
import type { Db } from '../../src/store/pool.ts'
import type { SlackPort } from '../../src/slack/port.ts'
import { exitCodes } from '../cli.ts'

export const storeUsage = `lockkeeper store take-over --reason "…"   this store goes on, and what another one has posted with the same Slack token belongs to the past`

/** The reason, or what is wrong with what was typed after `lockkeeper store`. */
export function parseStore(words: readonly string[]): { readonly reason: string } | string {
  const [verb, ...args] = words
  if (verb !== 'take-over') return storeUsage
  try {
    const reason = parseArgs({ args, options: { reason: { type: 'string' } } }).values.reason?.trim() ?? ''
    if (reason.length >= 10) return { reason: reason.slice(0, 1_000) }
    return 'lockkeeper store take-over needs --reason "…": a sentence that says which bot was stopped and why this one goes on. It becomes a row of the audit log.'
  } catch (error) {
    return `${(error as Error).message}\n${storeUsage}`
  }
}

export async function runTakeOver(deps: {
  readonly db: Db
  readonly slack: Pick<SlackPort, 'ownPosts'>
  readonly store: string
  readonly channels: readonly string[]
  readonly account: string
  readonly human: string
  readonly reason: string
  readonly print: (line: string) => void
  readonly complain: (line: string) => void
}): Promise<number> {
  const taken = await takeOver(deps.db, deps.slack, deps.store, deps.channels)
  if (typeof taken === 'string') {
    deps.complain(asPlainText(taken))
    return exitCodes.refused
  }
  if (taken.length === 0) {
    deps.print('No other store has posted in the channels of the targets since this one was made, so there is nothing to take over.')
    return exitCodes.done
  }
  const others = [...new Set(taken.map(({ store }) => store.slice(0, 8)))]
  await writeAudit(deps.db, {
    actor: deps.account,
    human: deps.human,
    entry: 'cli',
    act: 'store take-over',
    result: 'accepted',
    data: { reason: deps.reason, foreign: taken },
  })
  deps.print(
    `This store (${deps.store.slice(0, 8)}) goes on, and what ${others.join(', ')} posted until now belongs to the past. Runs start again.`,
  )
  deps.print('If the other bot still runs, its next message stops runs here again: stop it first.')
  return exitCodes.done
}
