import { code, inShell } from '../../lib/text/code.ts'
import type { Diagnosis } from '../diagnoses/diagnosis.ts'
import type { RunOutcome } from '../../request/request.ts'
import { list } from '../../lib/text/sentences.ts'
import type { MigrationTask } from '../observe/watch.ts'

/** `1 of 3 migrations is applied and kept.` */
function keptSentence(tasks: readonly MigrationTask[]): string {
  const done = tasks.filter(({ state }) => state === 'done').length
  if (done === 0) return tasks.length === 1 ? 'It is not applied.' : `None of the ${tasks.length} migrations is applied.`
  return `${done} of ${tasks.length} migrations ${done === 1 ? 'is' : 'are'} applied and kept.`
}

/** Its steps come after the migrations, so none of them has begun. */
const APPLICATION = 'The application was left as it was.'

/** The migrator said why it stopped, and what is in the database is certain. */
export function failedOutcome(
  diagnosis: Diagnosis,
  tasks: readonly MigrationTask[],
  remark: string | null,
  excerpt = diagnosis.excerpt,
  /** The migration whose record stays open, and so blocks every other. */
  open: string | null = null,
): RunOutcome {
  const resolve =
    open === null || diagnosis.next.includes('rolled back')
      ? ''
      : `Before that, mark this try as rolled back, since Prisma runs nothing else until then: ${code(`npx prisma migrate resolve --rolled-back ${inShell(open)}`)}.`
  return {
    headline: `*${diagnosis.headline} ${keptSentence(tasks)}* ${APPLICATION}`,
    why: diagnosis.why,
    next: [remark ?? '', diagnosis.next, resolve].filter((part) => part !== '').join(' '),
    excerpt,
  }
}

export function cancelledOutcome(tasks: readonly MigrationTask[], undone: string | null): RunOutcome {
  const waiting = tasks.filter(({ state, name }) => state !== 'done' && name !== undone).map(({ name }) => name)
  const parts = [
    appliedSentence(tasks),
    undone === null ? '' : `${code(undone)} was running; the database undid it as a whole and it is marked as rolled back.`,
    waiting.length === 0 ? '' : `Not started: ${names(waiting)}.`,
  ]
  return {
    headline: `*Cancelled while migrating. ${keptSentence(tasks)}* ${APPLICATION}`,
    why: parts.filter((part) => part !== '').join(' '),
    next: 'Ask again when the rest may run: what has run is kept and not repeated.',
  }
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

/** For a migration that began, did not end, and whose process is gone. */
export function crashedOutcome(
  name: string,
  tasks: readonly MigrationTask[],
  evidence: {
    readonly leftovers: readonly string[]
    readonly invalid: readonly string[]
    readonly excerpt?: string
    readonly how: string
    /** What may be the reason. */
    readonly hint?: string
  },
): RunOutcome {
  return unclearOutcome({
    headline: `${evidence.how} ${code(name)}.`,
    tasks,
    known: [foundSentence(evidence), 'No session of this run is alive.', ...(evidence.hint === undefined ? [] : [evidence.hint])],
    notKnown: `Whether all of ${code(name)} took effect. The record says "started".`,
    next: `Compare the database with the file. If all of it is there, mark it as applied (\`prisma migrate resolve --applied\`); if nothing is, mark it as rolled back (\`prisma migrate resolve --rolled-back\`). Then cancel this request and ask again.`,
    ...(evidence.excerpt === undefined ? {} : { excerpt: evidence.excerpt }),
  })
}

export const invalidSentence = (invalid: readonly string[]): string =>
  `${invalid.length === 1 ? 'The index' : 'The indexes'} ${names(invalid)} ${invalid.length === 1 ? 'is' : 'are'} invalid: unfinished, unused by queries and paid for by writes.`

const foundSentence = ({ leftovers, invalid }: { readonly leftovers: readonly string[]; readonly invalid: readonly string[] }): string => {
  const broken = invalid.length === 0 ? '' : ` ${invalidSentence(invalid)}`
  if (leftovers.length === 0) return `Nothing in the schema is younger than its start.${broken}`
  return `Since its start the schema has got: ${list(leftovers.map(code))}.${broken}`
}

function appliedSentence(tasks: readonly MigrationTask[]): string {
  const done = tasks.filter(({ state }) => state === 'done').map(({ name }) => name)
  if (tasks.length === 0) return ''
  if (done.length === 0) return `None of ${names(tasks.map(({ name }) => name))} is applied.`
  return `${names(done)} ${done.length === 1 ? 'is' : 'are'} applied.`
}

/** At most five by name. */
const names = (all: readonly string[]): string =>
  all.length <= 5 ? list(all.map(code)) : `${all.slice(0, 4).map(code).join(', ')} and ${all.length - 4} more`
