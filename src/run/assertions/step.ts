import { z } from 'zod'
import type { AssertionSettings } from '../../config/keys/assertions.ts'
import { seconds, count } from '../../lib/text/sentences.ts'
import type { Plan } from '../../plan/plan.ts'
import type { RunContext, Step, StepEnd } from '../../request/step.ts'
import { assertionsOf, isAsked, isExpected, seenOf, type Seen } from '../../watching/assertions.ts'
import { askData, type Answer } from '../../watching/ask-data.ts'
import { cancelledOutcome, failedOutcome, type Failure } from './words.ts'

const BEFORE = 'assert-before'

/** Two steps, each there when it has something to ask: right before the migrations and right after them. Both only read. */
export function assertSteps(plan: Plan): { readonly before: readonly Step[]; readonly after: readonly Step[] } {
  const all = assertionsOf(plan)
  const step = (at: 'before' | 'after', name: string, title: string): readonly Step[] => {
    const asked = all.filter((one) => isAsked(one, at))
    if (asked.length === 0) return []
    return [{ name, title, changes: 'nothing', inspect: async () => ({ kind: 'todo' }), act: (context) => assertData(context, asked, at) }]
  }
  return { before: step('before', BEFORE, 'Assert before'), after: step('after', 'assert-after', 'Assert after') }
}

async function assertData(context: RunContext, assertions: readonly AssertionSettings[], at: 'before' | 'after'): Promise<StepEnd> {
  const started = performance.now()
  const kept = at === 'after' ? keptOf(context) : null
  const answers = await askUnlessCancelled(context, assertions)
  if (answers === 'cancelled') return { kind: 'cancelled', output: 'stopped', outcome: cancelledOutcome(context, at) }
  const hide = (text: string) => context.redactor.text(text)
  const seen = new Map(
    assertions.flatMap(({ name }, index) => {
      const answer = answers[index]
      return answer?.kind === 'result' ? [[name, seenOf(answer.result, hide)] as const] : []
    }),
  )
  const failures = assertions.flatMap((assertion, index) => {
    const answer = answers[index] ?? { kind: 'none', why: 'It was not asked.' }
    return failureOf(assertion, answer, { at, seen: seen.get(assertion.name), before: kept?.get(assertion.name) }) ?? []
  })
  const data = { seen: Object.fromEntries(seen) }
  if (failures.length > 0)
    return {
      kind: 'failed',
      output: `${count(failures.length, 'of', 'of')} ${count(assertions.length, 'assertion')} failed`,
      outcome: failedOutcome(context, at, failures, assertions.length),
      data,
    }
  return { kind: 'done', output: `${count(assertions.length, 'assertion')} held, ${seconds(performance.now() - started)}`, data }
}

async function askUnlessCancelled(context: RunContext, assertions: readonly AssertionSettings[]): Promise<readonly Answer[] | 'cancelled'> {
  const { target, plan, requestId, signal, report } = context
  const url = context.secret(target.database.url)
  try {
    return await askData({ url, applicationName: `lockkeeper-assert-${requestId}`, signal, identity: plan.identity, report }, assertions)
  } catch (error) {
    if (context.isCancelled()) return 'cancelled'
    throw error
  }
}

type Asked = { readonly at: 'before' | 'after'; readonly seen: Seen | undefined; readonly before: Seen | undefined }

/** Null when it holds. One that compares has nothing to hold to before the migrations, but has to give an answer that can be compared. */
function failureOf(assertion: AssertionSettings, answer: Answer, { at, seen, before }: Asked): Failure | null {
  const { name, expect } = assertion
  if (answer.kind === 'none' || seen === undefined)
    return { kind: 'not-asked', name, why: answer.kind === 'none' ? answer.why : 'It was not asked.' }
  const { result } = answer
  if (expect !== undefined) return isExpected(expect, result) ? null : { kind: 'unexpected', name, expect, result, seen }
  if (at === 'before') return result.hasMore ? { kind: 'too-many', name, seen } : null
  if (before === undefined) return { kind: 'not-asked', name, why: 'What it gave before the migrations was not kept.' }
  return !result.hasMore && isSame(before, seen) ? null : { kind: 'changed', name, before, result, seen }
}

const isSame = (before: Seen, after: Seen): boolean => linesOf(before) === linesOf(after)

const linesOf = ({ columns, rows }: Seen): string => [columns.length, ...rows.map(({ hash }) => hash).sort()].join()

/** What the step before the migrations has left in its row, which survives its process. */
function keptOf(context: RunContext): ReadonlyMap<string, Seen> {
  const read = keptShape.safeParse(context.dataOf(BEFORE))
  return new Map(read.success ? Object.entries(read.data.seen) : [])
}

const keptShape = z.object({
  seen: z.record(
    z.string(),
    z.object({
      columns: z.array(z.string()),
      rows: z.array(z.object({ hash: z.string(), cells: z.array(z.string().nullable()) })),
    }),
  ),
})
