import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { TargetConnectionError } from '../database/connect.ts'
import type { RunContext } from '../request/step.ts'
import { isProblem, openSite, type Site } from './prisma/prisma-workspace.ts'
import { answerOf, type Answer } from './question.ts'

/**
 * Asks Prisma which database it would change, and what, while something else takes its time: the backup is read back. Not while it is made,
 * since the question holds the record of migrations for a moment, which waits for a dump and is waited for by it. Whatever comes in the way is
 * left to the question at its own time, which `answerAhead` falls back on.
 */
export async function askAhead(context: RunContext): Promise<void> {
  const last = context.plan.list.at(-1)?.name
  if (last === undefined || context.signal.aborted) return
  try {
    const site = await openSite(context)
    if (isProblem(site)) return
    const asked = askedFor(context, site, last)
    const answer = await answerOf({ context, site }, last)
    kept.set(context.directory, { ...answer, asked, at: performance.now() })
  } catch (error) {
    if (!(error instanceof TargetConnectionError)) context.report('Prisma could not be asked ahead.')
  }
}

/** What was answered ahead, once; null when there is nothing, when it is old, or when anything is different from what it was asked for. */
export function answerAhead(context: RunContext, site: Site, last: string): Answer | null {
  const found = kept.get(context.directory)
  kept.delete(context.directory)
  if (found === undefined || performance.now() - found.at > KEPT_MS) return null
  return found.asked === askedFor(context, site, last) ? { output: found.output, seen: found.seen } : null
}

/** By the run's directory. In memory alone: it is compared with variables that hold secrets, and whoever takes a run over asks for himself. */
const kept = new Map<string, Answer & { readonly asked: string; readonly at: number }>()

const KEPT_MS = 10 * 60_000

/** All that an answer depends on and that this process can see: what is approved, the files that Prisma reads, and its variables. */
function askedFor(context: RunContext, site: Site, last: string): string {
  const directory = join(context.directory, 'layout')
  site.markedLayout(last)
  const environment = site.environment({ applicationName: '', lockTimeoutMs: 0, statementTimeoutMs: 0 })
  return JSON.stringify([context.digest, site.tool.installed, environment, contentOf(directory)])
}

/** Links by where they lead: what is behind them belongs to the checkout. */
function contentOf(directory: string): readonly (readonly string[])[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      if (entry.isSymbolicLink()) return [path, 'link', readlinkSync(path)]
      return entry.isFile() ? [path, 'file', createHash('sha256').update(readFileSync(path)).digest('hex')] : [path, 'directory']
    })
    .sort(([a = ''], [b = '']) => (a < b ? -1 : 1))
}
