/** What a fault has left behind, as plain rows: gathered by `evidence.ts`, and by hand in the tests of these checks. */
export type Evidence = {
  readonly request: {
    readonly id: number
    readonly state: string
    readonly digest: string | null
    /** SHA-256 of the plan as it is stored, computed anew. */
    readonly planDigest: string | null
    readonly requester: string
    readonly requesterHuman: string
    readonly required: number
    readonly grantExpiresAt: number | null
    readonly approved: readonly string[]
    /** Humans that the rules of the request name for breaking the glass. */
    readonly breakers: readonly string[]
    readonly breakGlass: {
      readonly reason: string
      readonly digest: string | null
      readonly brokenBy: string | null
      readonly involved: readonly string[]
      readonly reviewedBy: string | null
    } | null
  }
  readonly votes: readonly Vote[]
  /** In their order. */
  readonly steps: readonly { readonly name: string; readonly state: string }[]
  readonly events: readonly {
    readonly id: number
    readonly kind: string
    readonly state?: string
    readonly step?: string
    readonly name?: string
  }[]
  readonly audit: readonly { readonly act: string; readonly result: string; readonly digest: string | null; readonly at: number }[]
  /** Starts of the migrator that were claimed. */
  readonly attempts: readonly {
    readonly number: number
    readonly startedAt: number
    readonly migrations: readonly string[]
    /** Null when nobody wrote how it ended. */
    readonly exitCode: number | null
    /** It was decided to try again. */
    readonly isSettled: boolean
  }[]
  readonly samples: readonly Sample[]
  /** `_prisma_migrations` as it was before and as it is now: one entry for each row that is applied. */
  readonly appliedBefore: readonly string[]
  readonly appliedNow: readonly string[]
  /** Names in `_prisma_migrations`, one entry for each row, whatever became of it. */
  readonly begun: readonly string[]
  /** Rows of `_prisma_migrations` that began and neither ended nor were rolled back. */
  readonly unfinished: readonly string[]
  /** Names that the migrations themselves wrote, once for each time that they ran. */
  readonly tally: readonly string[]
  /** Migrations of the plan that write into the tally. */
  readonly tallied: readonly string[]
  readonly backups: readonly {
    readonly name: string
    readonly requestId: number | null
    readonly state: string
    readonly verifiedAt: number | null
  }[]
  readonly backupEntries: readonly { readonly name: string; readonly fault: string | null }[]
  /** What the store says about its messages, by key (`event:12`). */
  readonly messages: readonly { readonly key: string; readonly state: string; readonly ts: string | null }[]
  /** The bot's posts in the request's thread, in the order of Slack. */
  readonly posts: readonly { readonly ts: string; readonly intent: string | null; readonly isFile: boolean }[]
  /** Processes and sessions of ours that should be gone. */
  readonly leftovers: readonly string[]
  /** Places where a secret stands, whole or in half, in any way of writing it. */
  readonly secretsAt: readonly string[]
  /** What is wrong with the chain of the audit record. */
  readonly chain: readonly string[]
  /** How often a deploy step ran that may not be repeated; null where there is none that counts itself. */
  readonly deployed: number | null
  /** Milliseconds until each delivery was acknowledged that fell into no fault; 3,000 when it never was. */
  readonly acknowledged: readonly number[]
  /** Answers to people that are not in Slack when all is over: what they are to, and how they stand. */
  readonly unanswered: readonly string[]
}

type Vote = {
  readonly digest: string
  readonly actor: string
  readonly human: string
  readonly decision: string
  readonly at: number
}

/** One look at the target while a run goes on. */
export type Sample = {
  readonly migrators: readonly number[]
  readonly sessions: readonly number[]
  readonly prismaLocks: number
  /** Sessions of pg_restore in the target. */
  readonly restores: number
}

/** Every invariant that is broken, as a sentence with its number. */
export const violations = (evidence: Evidence): readonly string[] =>
  Object.entries(invariants).flatMap(([name, check]) => check(evidence).map((what) => `${name}: ${what}`))

const ENDS = new Set(['succeeded', 'failed', 'cancelled', 'needs_human'])

const invariants: Readonly<Record<string, (evidence: Evidence) => readonly string[]>> = {
  /** Every run and every step has exactly one terminal record. */
  I1({ request, steps, events, audit }) {
    if (!audit.some(({ act, result }) => act === 'run' && result === 'started')) return neverRan(request, steps, events)
    const ended = events.filter(({ kind }) => kind === 'ended')
    const recorded = audit.filter(({ act, result }) => act === 'run' && ENDS.has(result))
    const stopped = steps.filter(({ state }) => ['failed', 'cancelled', 'unknown'].includes(state))
    const doneEvents = events.filter(({ kind }) => kind === 'step_done').map(({ step }) => step ?? '')
    const done = steps.filter(({ state }) => state === 'done').map(({ name }) => name)
    return [
      ...when(!ENDS.has(request.state), `the run is ${request.state}`),
      ...when(ended.length !== 1, `${ended.length} ends in the thread`),
      ...when(
        ended.some(({ state }) => state !== request.state),
        `the thread ends with another state than ${request.state}`,
      ),
      ...when(recorded.length !== 1, `${recorded.length} ends in the audit`),
      ...when(
        recorded.some(({ result }) => result !== request.state),
        `the audit ends with another state than ${request.state}`,
      ),
      ...steps.filter(({ state }) => state === 'running').map(({ name }) => `step ${name} still runs`),
      ...when(stopped.length > 1, `${stopped.length} steps stopped the run`),
      ...when(
        (request.state === 'succeeded') !== (stopped.length === 0 && done.length === steps.length),
        `the steps do not say ${request.state}`,
      ),
      ...when(!sameNames(done, doneEvents), `steps that are done: ${done.join()}; told: ${doneEvents.join()}`),
    ]
  },
  /**
   * Every migrator start has an earlier, unexpired, unused approval whose digest equals the plan's; no approver is the requester. Or
   * somebody who is named for it broke the glass for that digest before, with a reason, in the audit and in the thread.
   */
  I2(evidence) {
    const { request, votes, audit, attempts } = evidence
    const broken = soundBreakings(evidence)
    const begun = audit.filter(({ act, result }) => act === 'run' && result === 'started')
    const approvals = votes.filter(({ decision, digest }) => decision === 'approve' && digest === request.digest)
    return [
      ...when(request.digest !== request.planDigest, 'the digest is not the plan’s'),
      ...when(attempts.length > 0 && begun.length !== 1, `the approval was used ${begun.length} times`),
      ...when(
        begun.some(({ digest }) => digest !== request.digest),
        'another digest was started than the plan’s',
      ),
      ...begun
        .filter(({ at }) => request.grantExpiresAt === null || at >= request.grantExpiresAt)
        .map(() => 'the run began after its approval had expired'),
      ...approvals
        .filter(({ human, actor }) => human === request.requesterHuman || actor === request.requester)
        .map(({ actor }) => `${actor} approved a request of his own`),
      ...attempts
        .filter(
          ({ startedAt }) =>
            distinctHumans(approvals.filter(({ at }) => at <= startedAt)) < request.required && !broken.some(({ at }) => at <= startedAt),
        )
        .map(({ number }) => `start ${number} of the migrator had too few approvals`),
      ...attempts
        .filter(({ startedAt }) => !begun.some(({ at }) => at <= startedAt))
        .map(({ number }) => `start ${number} of the migrator came before the run began`),
      ...votes
        .filter((vote) => vote.decision === 'break_glass' && !request.breakers.includes(vote.human))
        .map(({ actor }) => `${actor} broke the glass and was not named for it`),
      ...when(
        request.breakGlass?.reviewedBy != null && request.breakGlass.involved.includes(request.breakGlass.reviewedBy),
        'the broken glass was reviewed by somebody who took part',
      ),
    ]
  },
  /** At most one migrator lives per target. */
  I3({ samples, attempts }) {
    return [
      ...when(
        attempts.length > 0 && !samples.some(({ migrators }) => migrators.length > 0),
        'no sample saw the migrator, so nothing is proven',
      ),
      ...unique(samples.filter(({ migrators }) => migrators.length > 1).map(({ migrators }) => `migrators ${migrators.join()} at once`)),
      ...unique(
        samples.filter(({ sessions }) => sessions.length > 1).map(({ sessions }) => `migrating sessions ${sessions.join()} at once`),
      ),
      ...when(
        samples.some(({ prismaLocks }) => prismaLocks > 1),
        'Prisma’s lock was held twice',
      ),
    ]
  },
  /** What the record gained is what was approved, each once. */
  I4({ request, appliedBefore, appliedNow, unfinished, tally, tallied }) {
    const before = new Set(appliedBefore)
    const gained = appliedNow.filter((name) => !before.has(name))
    const expected = request.approved.slice(0, gained.length)
    return [
      ...[...before].filter((name) => !appliedNow.includes(name)).map((name) => `${name} is no longer applied`),
      ...when(gained.join() !== expected.join(), `applied: ${gained.join()}; approved in this order: ${request.approved.join()}`),
      ...when(request.state === 'succeeded' && gained.length !== request.approved.length, 'a success without all that was approved'),
      ...when(request.state === 'succeeded' && unfinished.length > 0, `a success with ${unfinished.join()} unfinished`),
      ...unique(tally.filter((name, at) => tally.indexOf(name) !== at)).map((name) => `${name} ran more than once`),
      ...tallied.filter((name) => gained.includes(name) && !tally.includes(name)).map((name) => `${name} is applied but did not run`),
      // the session of a migrator that was killed may commit all the same: then the record says started, and a person is called
      ...tally
        .filter((name) => !gained.includes(name) && !(request.state === 'needs_human' && unfinished.includes(name)))
        .map((name) => `${name} took effect and is not applied`),
    ]
  },
  /** No migrate step without a verified recovery point of this run. */
  I5({ request, attempts, backups, backupEntries }) {
    const own = backups.filter(({ requestId, verifiedAt }) => requestId === request.id && verifiedAt !== null)
    return attempts
      .filter(({ startedAt }) =>
        own.every(
          ({ name, verifiedAt }) =>
            (verifiedAt ?? Infinity) > startedAt || !backupEntries.some((entry) => entry.name === name && entry.fault === null),
        ),
      )
      .map(({ number }) => `start ${number} of the migrator had no verified backup of this run`)
  },
  /** In the thread each change of state is posted once, in order. */
  I6({ events, messages, posts }) {
    const placed = events.map((event) => ({ event, row: messages.find(({ key }) => key === `event:${event.id}`) }))
    const order = placed.map(({ row }) => posts.findIndex(({ ts }) => ts === row?.ts))
    const intents = posts.flatMap(({ intent }) => (intent === null ? [] : [intent]))
    const known = new Set(messages.map(({ ts }) => ts))
    const told = events.filter(({ kind }) => kind === 'migration_done').map(({ name }) => name ?? '')
    return [
      ...placed.filter(({ row }) => row?.state !== 'sent').map(({ event }) => `${event.kind} (${event.id}) was not posted`),
      ...placed
        .filter(({ row }, at) => row?.state === 'sent' && order[at] === -1)
        .map(({ event }) => `${event.kind} (${event.id}) is not in the thread`),
      ...when(
        order.some((place, at) => at > 0 && place !== -1 && place <= (order[at - 1] ?? -1)),
        'the posts are not in the order of the events',
      ),
      ...when(new Set(intents).size !== intents.length, 'a post stands twice'),
      ...posts.filter(({ ts, isFile }) => !isFile && !known.has(ts)).map(({ ts }) => `the post ${ts} is in no record`),
      ...unique(told.filter((name, at) => told.indexOf(name) !== at)).map((name) => `${name} was told twice`),
      ...when(events.filter(({ kind }) => kind === 'started').length > 1, 'the start was told twice'),
    ]
  },
  /** No secret stands anywhere. */
  I7: ({ secretsAt }) => secretsAt.map((place) => `a secret stands in ${place}`),
  /** The chain of the audit record holds. */
  I8: ({ chain }) => chain,
  /** No orphan process or session. */
  I9: ({ leftovers }) => leftovers,
  /** Unclear means a person: never a second try by itself, never a restore. */
  I10({ request, steps, attempts, begun, samples, deployed }) {
    const unclear = steps.findIndex(({ state }) => state === 'unknown')
    const again = attempts.flatMap((later) =>
      later.migrations.flatMap((name) => {
        const earlier = attempts.findLast((one) => one.number < later.number && one.migrations.includes(name))
        if (earlier === undefined || begun.filter((one) => one === name).length < 2) return []
        if (earlier.exitCode === null)
          return [`start ${later.number} tried ${name} again, and nobody knows how start ${earlier.number} ended`]
        return earlier.isSettled ? [] : [`start ${later.number} tried ${name} again without a decision`]
      }),
    )
    return [
      ...when(unclear !== -1 && !['needs_human', 'cancelled'].includes(request.state), `a step is unclear and the run is ${request.state}`),
      ...when(
        // what a run owes to users is done whatever it ends as
        unclear !== -1 && steps.slice(unclear + 1).some(({ name, state }) => state !== 'pending' && name !== 'maintenance-off'),
        'a step began after one that is unclear',
      ),
      ...again,
      ...when(
        samples.some(({ restores }) => restores > 0),
        'something restored into the target',
      ),
      ...when((deployed ?? 0) > 1, `a deploy step that may not be repeated ran ${deployed} times`),
    ]
  },
  /** Slack hears before it tells the person that nobody answered, and within a second but for one in a hundred. */
  I11: ({ acknowledged }) => lateAcknowledgements(acknowledged),
  /** No partial backup under a final name, and none left under a partial one when the run is over. */
  I12({ backups, backupEntries }) {
    return [
      ...backupEntries.flatMap(({ name, fault }) => (fault === null ? [] : [`${name}: ${fault}`])),
      ...backups
        .filter(({ name, state }) => ['written', 'verified'].includes(state) && !backupEntries.some((entry) => entry.name === name))
        .map(({ name }) => `${name} is in the catalogue and not on the disk`),
    ]
  },
  /** Whoever typed, clicked or sent something has been told what came of it. */
  I13: ({ unanswered }) => unanswered.map((answer) => `${answer} was never answered`),
}

/** Votes that stand for a broken glass, with everything that belongs to one. */
const soundBreakings = ({ request, votes, events, audit }: Evidence): readonly Vote[] =>
  votes.filter(
    (vote) =>
      vote.decision === 'break_glass' &&
      vote.digest === request.digest &&
      request.breakers.includes(vote.human) &&
      request.breakGlass?.digest === vote.digest &&
      request.breakGlass.brokenBy === vote.actor &&
      request.breakGlass.reason.trim() !== '' &&
      events.some(({ kind }) => kind === 'glass_broken') &&
      audit.some(({ act, result, digest }) => act === 'break_glass' && result === 'broken' && digest === vote.digest),
  )

/** A handful has no 99th percentile: of one run only what Slack gave up counts, and the walk judges the share of all its runs. */
export function lateAcknowledgements(acknowledged: readonly number[]): readonly string[] {
  const late = acknowledged.filter((ms) => ms > 1_000)
  const givenUp = acknowledged.filter((ms) => ms >= SLACK_GIVES_UP_MS)
  return [
    ...when(givenUp.length > 0, `${givenUp.length} of ${acknowledged.length} deliveries were not acknowledged within 3 s`),
    ...when(
      acknowledged.length >= ENOUGH && late.length > Math.floor(acknowledged.length / 100),
      `${late.length} of ${acknowledged.length} acknowledgements took ${late.map((ms) => Math.round(ms)).join(', ')} ms`,
    ),
  ]
}

const SLACK_GIVES_UP_MS = 3_000
/** Acknowledgements of which one in a hundred can be told. */
const ENOUGH = 100

export const invariantNames: readonly string[] = Object.keys(invariants)

const ENDS_UNRUN = new Set(['refused', 'rejected', 'expired', 'cancelled'])

/** What never ran has one end too, and did nothing. */
function neverRan(request: Evidence['request'], steps: Evidence['steps'], events: Evidence['events']): readonly string[] {
  const ends = events.filter(({ kind }) => ['ended', 'rejected', 'expired'].includes(kind))
  return [
    ...when(!ENDS_UNRUN.has(request.state), `the run is ${request.state} and never began`),
    ...when(ends.length !== 1, `${ends.length} ends in the thread`),
    ...when(
      ends.some(({ kind, state }) => (state ?? kind) !== request.state),
      `the thread ends with another state than ${request.state}`,
    ),
    ...when(steps.length > 0, 'it has steps and never began'),
  ]
}

const when = (broken: boolean, what: string): readonly string[] => (broken ? [what] : [])
const unique = (all: readonly string[]): readonly string[] => [...new Set(all)]
const distinctHumans = (votes: readonly Vote[]): number => new Set(votes.map(({ human }) => human)).size
const sameNames = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((name) => other.includes(name)) && other.every((name) => one.includes(name))
