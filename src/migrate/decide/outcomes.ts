import { code } from '../../lib/text/code.ts'
import type { Diagnosis } from '../diagnoses/diagnosis.ts'
import type { RunOutcome } from '../../request/request.ts'
import { count, list, seconds } from '../../lib/text/sentences.ts'
import type { MigrationTask } from '../observe/watch.ts'
import type { Half } from './concurrent-state.ts'
import type { AttemptExit } from '../attempts/attempt.ts'
import type { MigrationTool } from '../prisma/tool.ts'
import type { NextAction } from './next-action.ts'
import { MOST_ROWS, type WrittenRows } from './rows-since.ts'

/** `1 of 3 migrations is applied and kept.` */
function keptSentence(tasks: readonly MigrationTask[]): string {
  const done = tasks.filter(({ state }) => state === 'done').length
  if (done === 0) return tasks.length === 1 ? 'It is not applied.' : `None of the ${tasks.length} migrations is applied.`
  return `${done} of ${tasks.length} migrations ${done === 1 ? 'is' : 'are'} applied and kept.`
}

/** Its steps come after the migrations, so none of them has begun. */
/** Where the application comes first, the step of the migrations says something else in its place. */
export const APPLICATION = 'The application was left as it was.'

/** The command that marks a migration, as code. */
export type Resolve = (as: 'applied' | 'rolled-back', migration: string) => string

/** The migrator said why it stopped, and what is in the database is certain. */
export function failedOutcome(
  diagnosis: Diagnosis,
  tasks: readonly MigrationTask[],
  remark: string | null,
  excerpt = diagnosis.excerpt,
  /** What marks the migration as rolled back whose record stays open and so blocks every other. */
  open: string | null = null,
): RunOutcome {
  const resolve =
    open === null || diagnosis.next.includes('rolled back')
      ? ''
      : `Before that, mark this try as rolled back, since nothing else runs until then: ${open}.`
  return {
    headline: `*${diagnosis.headline} ${keptSentence(tasks)}* ${APPLICATION}`,
    why: diagnosis.why,
    next: [remark ?? '', diagnosis.next, resolve].filter((part) => part !== '').join(' '),
    excerpt,
  }
}

export function cancelledOutcome(tasks: readonly MigrationTask[], undone: string | null): RunOutcome {
  const parts = [
    appliedSentence(tasks),
    undone === null ? '' : `${code(undone)} was running; the database undid it as a whole and it is marked as rolled back.`,
    waitingSentence(tasks),
  ]
  return {
    headline: `*Cancelled while migrating. ${keptSentence(tasks)}* ${APPLICATION}`,
    why: parts.filter((part) => part !== '').join(' '),
    next: 'Ask again when the rest may run: what has run is kept and not repeated.',
  }
}

/** A statement with CONCURRENTLY that ended in its middle, by its own fault or by a cancel: what is there is certain. */
export function halfOutcome(what: {
  readonly headline: string
  readonly failed: string
  readonly left: readonly Half[]
  readonly tasks: readonly MigrationTask[]
  readonly excerpt: string
  readonly resolve: Resolve
}): RunOutcome {
  const isToFinish = what.left.some(({ kind }) => kind === 'undropped' || kind === 'undetached')
  const resolve = what.resolve(isToFinish ? 'applied' : 'rolled-back', what.failed)
  const done = what.tasks.filter(({ state }) => state === 'done').length
  const kept = done === 0 ? '' : ` ${count(done, 'migration')} before it ${done === 1 ? 'is' : 'are'} applied and kept.`
  return {
    headline: `*${what.headline} Half of it is done.${kept}* ${APPLICATION}`,
    why: [...what.left.map(halfSentence), waitingSentence(what.tasks)].filter((part) => part !== '').join(' '),
    next: `${what.left.map(mendSentence).join(' ')} Then mark ${code(what.failed)} as ${isToFinish ? 'applied' : 'rolled back'}, since nothing else runs until then: ${resolve}. Then ask again.`,
    excerpt: what.excerpt,
  }
}

export function halfSentence(half: Half): string {
  const name = code(half.name)
  switch (half.kind) {
    case 'unbuilt':
      return `The index ${name} is invalid: unfinished, unused by queries and paid for by writes.`
    case 'undropped':
      return `The index ${name} is invalid: it is half dropped, still there and unused by queries.`
    case 'unswapped':
      return `The index ${name} is invalid: it is what a rebuild left unfinished, and the old index is in use as before.`
    case 'unremoved':
      return `The index ${name} is invalid: the rebuilt index is in use, and this is the old one, which was not removed.`
    case 'undetached':
      return `The partition ${name} of ${code(half.from)} is being detached and not yet on its own: queries of the whole table leave it out.`
  }
}

/** With a statement to copy. */
export function mendSentence(half: Half): string {
  if (half.kind === 'undetached') return `Finish it: ${code(`ALTER TABLE ${half.from} DETACH PARTITION ${half.qualified} FINALIZE;`)}.`
  return `${half.kind === 'undropped' ? 'Finish it' : 'Remove it'}: ${code(`DROP INDEX CONCURRENTLY ${half.qualified};`)}.`
}

/** What has happened cannot be told for certain: a person looks. */
export function unclearOutcome(what: {
  readonly headline: string
  readonly tasks: readonly MigrationTask[]
  readonly known?: readonly string[]
  readonly notKnown: string
  readonly next: string
  readonly excerpt?: string
}): RunOutcome {
  return {
    headline: `*${what.headline} Lockkeeper will not guess.*`,
    known: [appliedSentence(what.tasks), ...(what.known ?? [])].filter((part) => part !== '').join(' '),
    notKnown: what.notKnown,
    next: what.next,
    ...(what.excerpt === undefined ? {} : { excerpt: what.excerpt }),
  }
}

/** For a migration that began and did not end well, and of which a part may be there. */
export function crashedOutcome(
  name: string,
  tasks: readonly MigrationTask[],
  evidence: {
    readonly leftovers: readonly string[]
    readonly written?: readonly WrittenRows[]
    readonly excerpt?: string
    readonly how: string
    /** Why it cannot be told, and what may be the reason: sentences. */
    readonly because?: readonly string[]
    readonly resolve: Resolve
  },
): RunOutcome {
  const { resolve } = evidence
  return unclearOutcome({
    headline: `${evidence.how} ${code(name)}.`,
    tasks,
    known: [...(evidence.because ?? []), ...foundSentences(evidence), 'No session of this run is alive.'],
    notKnown: `Whether all of ${code(name)} took effect. The record says "started".`,
    next: `Compare the database with the file. If all of it is there, mark it as applied (${resolve('applied', name)}); if nothing is, mark it as rolled back (${resolve('rolled-back', name)}); if a part is, complete it or take it back by hand first. Then cancel this request and ask again.`,
    ...(evidence.excerpt === undefined ? {} : { excerpt: evidence.excerpt }),
  })
}

function foundSentences({
  leftovers,
  written = [],
}: {
  readonly leftovers: readonly string[]
  readonly written?: readonly WrittenRows[]
}): readonly string[] {
  const only = (test: (rows: number | null) => boolean) => written.filter(({ rows }) => test(rows))
  const [some, none, unseen] = [only((rows) => rows !== null && rows > 0), only((rows) => rows === 0), only((rows) => rows === null)]
  const tables = (of: readonly WrittenRows[]) => list(of.map(({ table }) => code(table)))
  return [
    leftovers.length === 0
      ? 'Nothing in the schema is younger than its start.'
      : `Since its start the schema has got: ${list(leftovers.map(code))}.`,
    ...(written.length === 0 ? ['Whether it changed rows does not show there.'] : []),
    ...some.map(
      ({ table, rows }) =>
        `Since its start ${rowsText(rows ?? 0)} of ${code(table)} ${rows === 1 ? 'was' : 'were'} inserted or updated, by it or by others.`,
    ),
    ...(none.length === 0 ? [] : [`Since its start no row of ${tables(none)} was inserted or updated; deleted ones do not show.`]),
    ...(unseen.length === 0 ? [] : [`Whether rows of ${tables(unseen)} changed could not be seen in a moment.`]),
  ]
}

const rowsText = (rows: number): string => (rows > MOST_ROWS ? `more than ${count(MOST_ROWS, 'row')}` : count(rows, 'row'))

/** What never ran, below one that did. */
function waitingSentence(tasks: readonly MigrationTask[]): string {
  const waiting = tasks.filter(({ state }) => state === 'pending').map(({ name }) => name)
  return waiting.length === 0 ? '' : `Not started: ${names(waiting)}.`
}

function appliedSentence(tasks: readonly MigrationTask[]): string {
  const done = tasks.filter(({ state }) => state === 'done').map(({ name }) => name)
  if (done.length === 0) {
    // of one that began, that is not certain
    const untouched = tasks.every(({ state }) => state === 'pending')
    return untouched && tasks.length > 0 ? `None of ${names(tasks.map(({ name }) => name))} is applied.` : ''
  }
  return `${names(done)} ${done.length === 1 ? 'is' : 'are'} applied.`
}

/** At most five by name. */
const names = (all: readonly string[]): string =>
  all.length <= 5 ? list(all.map(code)) : `${all.slice(0, 4).map(code).join(', ')} and ${all.length - 4} more`

/** A file without timeouts that this product stopped. */
export const tooLong = (diagnosis: Diagnosis, failed: string | null, maximumMs: number): Diagnosis => ({
  ...diagnosis,
  code: 'concurrent_too_long',
  headline: `${failed === null ? 'The migration' : code(failed)} was stopped after ${seconds(maximumMs)}, the longest that a file without timeouts may run.`,
  why: 'Building concurrently waits for every transaction that is older than it; one that never ends keeps it waiting.',
  next: 'End the old transaction or choose a quieter moment, then ask again.',
})

/** A tool of the application that ends without a word of the database, or that cannot even be started. */
export function silentTool(
  { name, commands }: Pick<MigrationTool, 'name' | 'commands'>,
  exit: Pick<AttemptExit, 'exitCode' | 'signal' | 'fault'> | null,
  diagnosis: Diagnosis,
): Diagnosis {
  if (exit?.fault !== undefined)
    return {
      ...diagnosis,
      code: 'not_started',
      headline: `${code(commands.deploy[0] ?? '')} could not be started: ${code(exit.fault)}.`,
      why: "It is a path below the application's directory, or a name that the PATH of the application's commands has.",
      next: 'See that the install brings it, or correct `run` of the tool in lockkeeper.yaml. Then ask again.',
    }
  const how =
    exit === null
      ? 'disappeared'
      : exit.exitCode === null
        ? `was ended by ${exit.signal ?? 'a signal'}`
        : `ended with code ${exit.exitCode}`
  return {
    ...diagnosis,
    code: 'without_a_word',
    headline: `${name} ${how} and did not say what the database said.`,
    why: 'The lines below are all that it wrote.',
    next: "The server's own log of that moment has the error. Correct the migration and ask again.",
  }
}

/** How a migrator ended that left a row without an end. */
export function crashEnd(
  { name }: Pick<MigrationTool, 'name'>,
  endedWell: boolean,
  saidDone: boolean,
): { readonly how: string; readonly because: readonly string[] } {
  if (name !== 'Prisma' && endedWell)
    return { how: `${name} ended ${saidDone ? 'well' : 'without a word'}, but the record does not know the end of`, because: [] }
  if (!endedWell) return { how: 'The migrator disappeared during', because: [] }
  return saidDone
    ? { how: 'Prisma says that it succeeded, but the record does not know the end of', because: [OPEN_TRANSACTION] }
    : { how: 'Prisma ended without a word during', because: [DEAD_ENGINE] }
}

/** Seen with Prisma 6: its own record of the end goes the same way as the statements of the file. */
const OPEN_TRANSACTION =
  'A file with a `BEGIN` and no `COMMIT` ends like this: the database takes it back when Prisma leaves. Prisma needs neither of them.'
/** Seen with Prisma 7, which then ends with 0. */
const DEAD_ENGINE = 'Prisma 7 ends like this when its engine is ended, for lack of memory for instance.'

export const silentEnd = (name: string) => ({
  headline: `${name} ended without a word, and the record of the approved database has nothing of its migrations.`,
  notKnown: `Why it ended.${name === 'Prisma' ? ` ${DEAD_ENGINE}` : ''}`,
  next: "Look at the system's log of this machine, and mend what ended it. Then cancel this request and ask again.",
})

/** The database is not as the plan has it. */
export function departureWords(action: Extract<NextAction, { readonly kind: 'not_the_plan' }>, command: string) {
  const names = action.names.slice(0, 5).map(code).join(', ')
  const more = action.names.length > 5 ? ` and ${action.names.length - 5} more` : ''
  const says = {
    edited: `applied with another content than the approved commit has: ${names}${more}.`,
    missing: `no longer applied, though they were when this was approved: ${names}${more}.`,
    unknown: `applied, but not part of what was approved: ${names}${more}.`,
    order: `applied out of their order: ${names}${more}.`,
  }[action.why]
  return {
    headline: `The database departs from the plan: ${says} Nothing more was started.`,
    notKnown: 'Who changed it, and whether the rest still fits.',
    next: `Look at \`${command} status\` and find out who migrated this database. Then cancel this request and ask again for what is there now.`,
  }
}
