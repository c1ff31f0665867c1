import type { OpenTransaction } from '../../database/live/live.ts'
import { durationText } from '../../lib/text/text.ts'
import { sizeText } from '../../lib/text/units.ts'
import type { Forecast } from '../rules/forecast.ts'
import type { Draft, Weighed } from './draft.ts'
import { holdsOff } from './held.ts'
import { gradeOf, inCode, keyOf, nameOf } from './size.ts'

/** What the server is busy with when the plan is made: who holds locks for long, who is behind, and what room is left. Once a file. */
export function circumstanceFindings(forecasts: readonly Forecast[], weighed: Weighed): readonly Draft[] {
  return [...openTransaction(forecasts, weighed), ...replicas(forecasts, weighed), ...disk(forecasts, weighed)]
}

function openTransaction(forecasts: readonly Forecast[], { live, thresholds, schema }: Weighed): readonly Draft[] {
  const found = (live?.open ?? [])
    .filter(({ ageMs }) => ageMs >= thresholds.openTransaction)
    .flatMap((open) => firstWaiting(open, forecasts) ?? [])
  const first = found.find(({ isHeld }) => isHeld) ?? found[0]
  if (first === undefined) return []
  const { open: longest } = first
  const who = [
    `of ${longest.application === null || longest.application === '' ? 'an unnamed application' : inCode(longest.application, 60)}`,
    ...(longest.role === null ? [] : [`(user ${inCode(longest.role, 60)})`]),
  ].join(' ')
  const table = nameOf(first.lock.on, schema)
  const what = longest.query === null || longest.query === '' ? '' : `: ${inCode(longest.query, 120)}`
  return [
    {
      code: 'long-transaction',
      weight: first.isHeld ? 'warning' : 'note',
      line: first.line,
      table: first.lock.on.name,
      text: `a transaction ${who} has been open for ${durationText(longest.ageMs)}${what}; ${
        first.isHeld
          ? `it uses ${table}, so this statement would wait for it, and everybody who needs ${table} would wait behind this statement`
          : `should it still be open and use ${table}, this statement would wait for it, and everybody else behind this statement`
      }`,
      advice: {
        text: 'Start when it has ended, or let whoever runs it end it first',
        files: [],
      },
    },
  ]
}

/** The first statement that would wait for it, one of a table that it uses before all others. */
function firstWaiting(open: OpenTransaction, forecasts: readonly Forecast[]) {
  const held = new Set(open.holds.map(keyOf))
  const waiting = forecasts.flatMap(({ line, locks, parts }) => {
    const wanted = locks.filter(({ mode, isNew }) => !isNew && (holdsOff(mode) || parts.some(({ rule }) => rule.endsWith(' concurrently'))))
    const lock = wanted.find(({ on }) => held.has(keyOf(on))) ?? wanted[0]
    return lock === undefined ? [] : [{ open, line, lock, isHeld: held.has(keyOf(lock.on)) }]
  })
  return waiting.find(({ isHeld }) => isHeld) ?? waiting[0]
}

/** Work that writes so much that whoever follows falls back. */
function heavy(forecasts: readonly Forecast[], weighed: Weighed) {
  return forecasts.flatMap(({ line, parts }) =>
    parts
      .filter(({ isNew }) => !isNew)
      .flatMap(({ rule, rewrites, scans, builds }) => [
        ...rewrites.map((on) => ({ line, on, kind: 'rewrite' as const })),
        ...builds.map(({ on }) => ({ line, on, kind: 'build' as const })),
        ...(rule === 'update' || rule === 'delete' ? scans.map((on) => ({ line, on, kind: 'write' as const })) : []),
      ])
      .filter(({ on }) => weighed.sizeOf(on).bytes !== null),
  )
}

function replicas(forecasts: readonly Forecast[], weighed: Weighed): readonly Draft[] {
  const { live, thresholds, schema } = weighed
  const behind = (live?.replicas ?? []).filter(({ lagMs }) => lagMs >= thresholds.replicaLag)
  const [worst] = behind.toSorted((a, b) => b.lagMs - a.lagMs)
  const work = heavy(forecasts, weighed).find(({ on }) => gradeOf(weighed.sizeOf(on), thresholds) !== 'note')
  if (worst === undefined || work === undefined) return []
  return [
    {
      code: 'replica-lag',
      weight: 'warning',
      line: work.line,
      table: work.on.name,
      text: `the replica ${inCode(worst.name, 60)} is ${durationText(worst.lagMs)} behind already, and what this writes of ${nameOf(work.on, schema)} (${sizeText(weighed.sizeOf(work.on).bytes ?? 0)}) has to reach it as well; readers there see old data meanwhile`,
      advice: { text: 'Start when it has caught up', files: [] },
    },
  ]
}

function disk(forecasts: readonly Forecast[], weighed: Weighed): readonly Draft[] {
  const free = weighed.live?.freeBytes ?? null
  if (free === null) return []
  const rewritten = new Map(
    heavy(forecasts, weighed)
      .filter(({ kind }) => kind === 'rewrite')
      .map((work) => [keyOf(work.on), work]),
  )
  const needs = [...rewritten.values()].reduce((sum, { on }) => sum + (weighed.sizeOf(on).bytes ?? 0), 0)
  const [first] = rewritten.values()
  if (first === undefined || needs < free / 2) return []
  return [
    {
      code: 'disk',
      weight: needs >= free ? 'blocker' : 'warning',
      line: first.line,
      table: first.on.name,
      text: `needs about ${sizeText(needs)} more disk until it has ended, since what is written anew stands there twice, and ${sizeText(free)} are free; a full disk stops the whole server`,
      advice: { text: 'Free space first', files: [] },
    },
  ]
}
