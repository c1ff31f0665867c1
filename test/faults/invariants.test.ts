import { expect, test } from 'vitest'
import { violations, type Evidence } from './invariants.ts'

const attempt = { number: 1, startedAt: 400, migrations: ['m2', 'm3'], exitCode: 0, isSettled: false }

const sound: Evidence = {
  request: {
    id: 1,
    state: 'succeeded',
    digest: 'd1',
    planDigest: 'd1',
    requester: 'U0ALICE',
    requesterHuman: 'U0ALICE',
    required: 1,
    grantExpiresAt: 900,
    approved: ['m2', 'm3'],
    breakers: [],
    breakGlass: null,
  },
  votes: [{ digest: 'd1', actor: 'U0BOB', human: 'U0BOB', decision: 'approve', at: 100 }],
  steps: [
    { name: 'backup', state: 'done' },
    { name: 'migrate', state: 'done' },
  ],
  events: [
    { id: 1, kind: 'requested' },
    { id: 2, kind: 'approved' },
    { id: 3, kind: 'started' },
    { id: 4, kind: 'step_done', step: 'backup' },
    { id: 5, kind: 'migration_done', name: 'm2' },
    { id: 6, kind: 'step_done', step: 'migrate' },
    { id: 7, kind: 'ended', state: 'succeeded' },
  ],
  audit: [
    { act: 'run', result: 'started', digest: 'd1', at: 200 },
    { act: 'run', result: 'succeeded', digest: 'd1', at: 800 },
  ],
  attempts: [attempt],
  samples: [
    { migrators: [], sessions: [], prismaLocks: 0, restores: 0 },
    { migrators: [51], sessions: [71], prismaLocks: 1, restores: 0 },
  ],
  appliedBefore: ['m1'],
  appliedNow: ['m1', 'm2', 'm3'],
  begun: ['m1', 'm2', 'm3'],
  unfinished: [],
  tally: ['m2', 'm3'],
  tallied: ['m2', 'm3'],
  backups: [{ name: 'b1', requestId: 1, state: 'verified', verifiedAt: 300 }],
  backupEntries: [{ name: 'b1', fault: null }],
  messages: [1, 2, 3, 4, 5, 6, 7].map((id) => ({ key: `event:${id}`, state: 'sent', ts: `${id}.0` })),
  posts: [1, 2, 3, 4, 5, 6, 7].map((id) => ({ ts: `${id}.0`, intent: `lk_${id}`, isFile: false })),
  leftovers: [],
  secretsAt: [],
  chain: [],
  deployed: 1,
  acknowledged: [20, 30, 1_200],
  unanswered: [],
}

test('a sound run breaks no invariant', () => {
  expect(violations(sound)).toEqual([])
})

test('a run that stopped for a person, with one migration applied, breaks none either', () => {
  expect(
    violations({
      ...sound,
      request: { ...sound.request, state: 'needs_human' },
      steps: [
        { name: 'backup', state: 'done' },
        { name: 'migrate', state: 'unknown' },
      ],
      events: sound.events
        .filter(({ step }) => step !== 'migrate')
        .map((event) => (event.kind === 'ended' ? { ...event, state: 'needs_human' } : event)),
      audit: [...sound.audit.slice(0, 1), { act: 'run', result: 'needs_human', digest: 'd1', at: 800 }],
      appliedNow: ['m1', 'm2'],
      unfinished: ['m3'],
      tally: ['m2'],
    }),
  ).toEqual([])
})

const unrun: Evidence = {
  ...sound,
  request: { ...sound.request, state: 'rejected', grantExpiresAt: null },
  steps: [],
  events: [
    { id: 1, kind: 'requested' },
    { id: 2, kind: 'rejected' },
  ],
  audit: [],
  attempts: [],
  samples: [],
  appliedNow: ['m1'],
  begun: ['m1'],
  tally: [],
  backups: [],
  backupEntries: [],
  messages: sound.messages.slice(0, 2),
  posts: sound.posts.slice(0, 2),
}

test('a request that never ran, and a second try that was decided on, break none either', () => {
  expect(violations(unrun)).toEqual([])
  expect(
    violations({
      ...sound,
      attempts: [
        { ...attempt, exitCode: 1, isSettled: true },
        { ...attempt, number: 2, startedAt: 500 },
      ],
      begun: ['m1', 'm2', 'm2', 'm3'],
    }),
  ).toEqual([])
})

test.each<readonly [what: string, seed: Partial<Evidence>, broken: readonly string[]]>([
  [
    'no end at all',
    { request: { ...unrun.request, state: 'waiting' }, events: unrun.events.slice(0, 1) },
    ['I1: the run is waiting and never began', 'I1: 0 ends in the thread'],
  ],
  [
    'another end in the thread',
    { request: { ...unrun.request, state: 'expired' } },
    ['I1: the thread ends with another state than expired'],
  ],
  ['steps', { steps: [{ name: 'backup', state: 'pending' }] }, ['I1: it has steps and never began']],
])('a request that never ran and has %s is found', (_what, seed, broken) => {
  expect(violations({ ...unrun, ...seed })).toEqual(broken)
})

const run = { act: 'run', digest: 'd1', at: 700 }
const defects: readonly (readonly [what: string, seed: Partial<Evidence>, broken: readonly string[]])[] = [
  [
    'a run without an end',
    { request: { ...sound.request, state: 'running' } },
    [
      'I1: the run is running',
      'I1: the thread ends with another state than running',
      'I1: the audit ends with another state than running',
      'I1: the steps do not say running',
    ],
  ],
  [
    'a second end in the thread',
    { events: [...sound.events, { id: 7, kind: 'ended', state: 'succeeded' }] },
    ['I1: 2 ends in the thread', 'I6: the posts are not in the order of the events'],
  ],
  ['a second end in the audit', { audit: [...sound.audit, { ...run, result: 'succeeded' }] }, ['I1: 2 ends in the audit']],
  [
    'an end of another kind in the audit',
    { audit: [...sound.audit.slice(0, 1), { ...run, result: 'failed' }] },
    ['I1: the audit ends with another state than succeeded'],
  ],
  [
    'a step that is still running',
    {
      steps: [
        { name: 'backup', state: 'done' },
        { name: 'migrate', state: 'running' },
      ],
    },
    ['I1: step migrate still runs', 'I1: the steps do not say succeeded', 'I1: steps that are done: backup; told: backup,migrate'],
  ],
  [
    'a step that was told twice',
    { events: sound.events.map((event) => (event.id === 5 ? { id: 5, kind: 'step_done', step: 'backup' } : event)) },
    ['I1: steps that are done: backup,migrate; told: backup,backup,migrate'],
  ],
  [
    'two steps that stopped one run',
    {
      request: { ...sound.request, state: 'failed' },
      steps: [
        { name: 'backup', state: 'failed' },
        { name: 'migrate', state: 'unknown' },
      ],
      events: [...sound.events.filter(({ kind }) => kind !== 'step_done' && kind !== 'ended'), { id: 7, kind: 'ended', state: 'failed' }],
      audit: [...sound.audit.slice(0, 1), { ...run, result: 'failed' }],
    },
    ['I1: 2 steps stopped the run', 'I10: a step is unclear and the run is failed'],
  ],
  ['a plan that was changed after its digest', { request: { ...sound.request, planDigest: 'd2' } }, ['I2: the digest is not the plan’s']],
  [
    'an approval that was used twice',
    { audit: [{ ...run, result: 'started', at: 150 }, ...sound.audit] },
    ['I2: the approval was used 2 times'],
  ],
  [
    'a start for another digest',
    { audit: [{ ...run, result: 'started', digest: 'd0', at: 200 }, ...sound.audit.slice(1)] },
    ['I2: another digest was started than the plan’s'],
  ],
  [
    'a start after the approval had expired',
    { request: { ...sound.request, grantExpiresAt: 200 } },
    ['I2: the run began after its approval had expired'],
  ],
  [
    'an approval by the requester',
    { votes: [{ digest: 'd1', actor: 'os:alice', human: 'U0ALICE', decision: 'approve', at: 100 }] },
    ['I2: os:alice approved a request of his own'],
  ],
  [
    'a vote for an older digest',
    { votes: [{ digest: 'd0', actor: 'U0BOB', human: 'U0BOB', decision: 'approve', at: 100 }] },
    ['I2: start 1 of the migrator had too few approvals'],
  ],
  [
    'one human who counts twice',
    {
      request: { ...sound.request, required: 2 },
      votes: [...sound.votes, { digest: 'd1', actor: 'os:bob', human: 'U0BOB', decision: 'approve', at: 110 }],
    },
    ['I2: start 1 of the migrator had too few approvals'],
  ],
  [
    'a vote that came after the start',
    { votes: sound.votes.map((vote) => ({ ...vote, at: 401 })) },
    ['I2: start 1 of the migrator had too few approvals'],
  ],
  [
    'a migrator that started before the run',
    { attempts: [{ ...attempt, startedAt: 199 }], backups: [{ name: 'b1', requestId: 1, state: 'verified', verifiedAt: 150 }] },
    ['I2: start 1 of the migrator came before the run began'],
  ],
  [
    'two migrators at once',
    { samples: [{ migrators: [51, 52], sessions: [71], prismaLocks: 1, restores: 0 }] },
    ['I3: migrators 51,52 at once'],
  ],
  [
    'two migrating sessions at once',
    { samples: [{ migrators: [51], sessions: [71, 72], prismaLocks: 1, restores: 0 }] },
    ['I3: migrating sessions 71,72 at once'],
  ],
  [
    'Prisma’s lock held twice',
    { samples: [{ migrators: [51], sessions: [71], prismaLocks: 2, restores: 0 }] },
    ['I3: Prisma’s lock was held twice'],
  ],
  [
    'a migrator that no sample saw',
    { samples: [{ migrators: [], sessions: [], prismaLocks: 0, restores: 0 }] },
    ['I3: no sample saw the migrator, so nothing is proven'],
  ],
  [
    'a migration that nobody approved',
    { appliedNow: ['m1', 'm2', 'm3', 'm4'] },
    ['I4: applied: m2,m3,m4; approved in this order: m2,m3', 'I4: a success without all that was approved'],
  ],
  ['migrations out of their order', { appliedNow: ['m1', 'm3', 'm2'] }, ['I4: applied: m3,m2; approved in this order: m2,m3']],
  ['a success without all of them', { appliedNow: ['m1', 'm2'], tally: ['m2'] }, ['I4: a success without all that was approved']],
  ['a success with an unfinished one', { unfinished: ['m3'] }, ['I4: a success with m3 unfinished']],
  ['a migration that ran twice', { tally: ['m2', 'm3', 'm3'] }, ['I4: m3 ran more than once']],
  ['a migration that is applied and did not run', { tally: ['m2'] }, ['I4: m3 is applied but did not run']],
  ['a migration that ran and is not applied', { tally: ['m2', 'm3', 'm4'] }, ['I4: m4 took effect and is not applied']],
  ['an earlier migration that is gone', { appliedNow: ['m2', 'm3'] }, ['I4: m1 is no longer applied']],
  ['a migrator without a backup', { backups: [], backupEntries: [] }, ['I5: start 1 of the migrator had no verified backup of this run']],
  [
    'a backup of another run',
    { backups: sound.backups.map((backup) => ({ ...backup, requestId: 2 })) },
    ['I5: start 1 of the migrator had no verified backup of this run'],
  ],
  [
    'a backup that was verified too late',
    { backups: sound.backups.map((backup) => ({ ...backup, verifiedAt: 401 })) },
    ['I5: start 1 of the migrator had no verified backup of this run'],
  ],
  [
    'an event that was not posted',
    { messages: sound.messages.map((row) => (row.key === 'event:4' ? { ...row, state: 'unsure', ts: null } : row)) },
    ['I6: step_done (4) was not posted', 'I6: the post 4.0 is in no record'],
  ],
  ['a post that has vanished', { posts: sound.posts.filter(({ ts }) => ts !== '4.0') }, ['I6: step_done (4) is not in the thread']],
  ['posts out of order', { posts: sound.posts.toReversed() }, ['I6: the posts are not in the order of the events']],
  [
    'a post that stands twice',
    { posts: [...sound.posts, { ts: '8.0', intent: 'lk_4', isFile: false }] },
    ['I6: a post stands twice', 'I6: the post 8.0 is in no record'],
  ],
  [
    'a migration that was told twice',
    { events: sound.events.map((event) => (event.id === 2 ? { id: 2, kind: 'migration_done', name: 'm2' } : event)) },
    ['I6: m2 was told twice'],
  ],
  [
    'a start that was told twice',
    { events: sound.events.map((event) => (event.id === 2 ? { id: 2, kind: 'started' } : event)) },
    ['I6: the start was told twice'],
  ],
  ['a process that is left', { leftovers: ['process 4711 (sleep 600) is left'] }, ['I9: process 4711 (sleep 600) is left']],
  [
    'a half of a backup under a final name',
    { backupEntries: [...sound.backupEntries, { name: 'b2', fault: 'no manifest under a final name' }] },
    ['I12: b2: no manifest under a final name'],
  ],
  ['a secret in a log', { secretsAt: ['the log'] }, ['I7: a secret stands in the log']],
  ['a broken chain', { chain: ['row 7 does not follow row 6'] }, ['I8: row 7 does not follow row 6']],
  [
    'a run that goes on after an unclear step',
    {
      steps: [
        { name: 'backup', state: 'unknown' },
        { name: 'migrate', state: 'done' },
      ],
      events: sound.events.filter(({ step }) => step !== 'backup'),
    },
    [
      'I1: the steps do not say succeeded',
      'I10: a step is unclear and the run is succeeded',
      'I10: a step began after one that is unclear',
    ],
  ],
  [
    'a second try of what may have happened',
    {
      attempts: [
        { ...attempt, exitCode: null },
        { ...attempt, number: 2 },
      ],
      begun: ['m1', 'm2', 'm2', 'm3'],
    },
    ['I10: start 2 tried m2 again, and nobody knows how start 1 ended'],
  ],
  [
    'a second try that nobody decided on',
    {
      attempts: [
        { ...attempt, exitCode: 1 },
        { ...attempt, number: 2 },
      ],
      begun: ['m1', 'm2', 'm3', 'm3'],
    },
    ['I10: start 2 tried m3 again without a decision'],
  ],
  ['a restore', { samples: sound.samples.map((sample) => ({ ...sample, restores: 1 })) }, ['I10: something restored into the target']],
  ['a deploy step that ran twice', { deployed: 2 }, ['I10: a deploy step that may not be repeated ran 2 times']],
  [
    'acknowledgements that come late',
    { acknowledged: [...Array<number>(98).fill(20), 1_300, 1_400] },
    ['I11: 2 of 100 acknowledgements took 1300, 1400 ms'],
  ],
  ['one that never came', { acknowledged: [20, 3_000] }, ['I11: 1 of 2 deliveries were not acknowledged within 3 s']],
  [
    'a command that nobody answered',
    { unanswered: ['a command of U0ALICE, taken,'] },
    ['I13: a command of U0ALICE, taken, was never answered'],
  ],
  ['a verified backup that is gone', { backupEntries: [], attempts: [], samples: [] }, ['I12: b1 is in the catalogue and not on the disk']],
]

test.each(defects)('%s is found', (_what, seed, broken) => {
  expect(violations({ ...sound, ...seed })).toEqual(broken)
})

/** The same run, let through by Carol for a reason. */
const breakGlassVote = { digest: 'd1', actor: 'U0CAROL', human: 'U0CAROL', decision: 'break_glass', at: 100 }
const breakGlass = { reason: 'checkout is down', digest: 'd1', brokenBy: 'U0CAROL', involved: ['U0ALICE', 'U0CAROL'], reviewedBy: null }
const letThrough: Evidence = {
  ...sound,
  request: { ...sound.request, breakers: ['U0CAROL'], breakGlass },
  votes: [breakGlassVote],
  events: sound.events.map((event) => (event.kind === 'approved' ? { id: event.id, kind: 'glass_broken' } : event)),
  audit: [{ act: 'break_glass', result: 'broken', digest: 'd1', at: 100 }, ...sound.audit],
}

test('a run that somebody who may let through breaks no invariant, reviewed by somebody else or not yet', () => {
  expect(violations(letThrough)).toEqual([])
  expect(violations({ ...letThrough, request: { ...letThrough.request, breakGlass: { ...breakGlass, reviewedBy: 'U0BOB' } } })).toEqual([])
})

const tooFew = 'I2: start 1 of the migrator had too few approvals'
const forged: readonly (readonly [what: string, seed: Partial<Evidence>, broken: readonly string[]])[] = [
  [
    'by somebody who is not named',
    {
      votes: [{ ...breakGlassVote, actor: 'U0DAVE', human: 'U0DAVE' }],
      request: { ...letThrough.request, breakGlass: { ...breakGlass, brokenBy: 'U0DAVE' } },
    },
    [tooFew, 'I2: U0DAVE broke the glass and was not named for it'],
  ],
  [
    'where the target names nobody',
    { request: { ...letThrough.request, breakers: [] } },
    [tooFew, 'I2: U0CAROL broke the glass and was not named for it'],
  ],
  ['as a mere row of the votes', { request: { ...letThrough.request, breakGlass: null } }, [tooFew]],
  ['without a vote', { votes: [] }, [tooFew]],
  ['for another plan', { votes: [{ ...breakGlassVote, digest: 'd0' }] }, [tooFew]],
  ['whose plan was changed in the record', { request: { ...letThrough.request, breakGlass: { ...breakGlass, digest: 'd0' } } }, [tooFew]],
  ['after the migrator had started', { votes: [{ ...breakGlassVote, at: 401 }] }, [tooFew]],
  ['without a reason', { request: { ...letThrough.request, breakGlass: { ...breakGlass, reason: ' ' } } }, [tooFew]],
  ['by another than the record says', { request: { ...letThrough.request, breakGlass: { ...breakGlass, brokenBy: 'U0BOB' } } }, [tooFew]],
  ['that stands in no audit', { audit: sound.audit }, [tooFew]],
  ['that nobody was told of', { events: sound.events.filter(({ kind }) => kind !== 'approved') }, [tooFew]],
  [
    'that was reviewed by who broke it',
    { request: { ...letThrough.request, breakGlass: { ...breakGlass, reviewedBy: 'U0CAROL' } } },
    ['I2: the broken glass was reviewed by somebody who took part'],
  ],
]

test.each(forged)('a broken glass %s is found', (_what, seed, broken) => {
  const found = violations({ ...letThrough, ...seed })
  expect(found.filter((what) => what.startsWith('I2'))).toEqual(broken)
})
