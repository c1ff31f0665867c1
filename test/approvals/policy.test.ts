import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canBeApproved, decide, mayVote, policyHash, rulesOf, type Question, type Rules } from '../../approvals/policy.ts'
import { humanIn } from '../../approvals/people.ts'
import { configSchema } from '../../src/config/schema.ts'
import { baseTarget } from './fixture.ts'

const accounts = ['U1', 'U2', 'U3', 'U4', 'U5', 'U6'] as const
const groups = ['SA', 'SB'] as const
const account = fc.constantFrom(...accounts)

const rules: fc.Arbitrary<Rules> = fc.record({
  required: fc.integer({ min: 0, max: 3 }),
  from: fc.uniqueArray(
    fc.oneof(
      account.map((id) => `user:${id}`),
      fc.constantFrom(...groups).map((id) => `group:${id}`),
    ),
    { minLength: 1 },
  ),
  members: fc.dictionary(fc.constantFrom(...groups), fc.uniqueArray(account)),
})

const digest = fc.constantFrom('new', 'old')

const question: fc.Arbitrary<Question> = fc
  .record({
    requester: account,
    votes: fc.array(
      fc.record({ actor: account, digest, decision: fc.constantFrom('approve' as const, 'approve' as const, 'reject' as const) }),
    ),
    atRequest: rules,
    now: rules,
    people: fc.dictionary(account, account),
    barred: fc.uniqueArray(account),
  })
  .map(({ requester, votes, atRequest, now, people, barred }) => {
    const humanOf = humanIn(people)
    return {
      request: { requester, requesterHuman: requester, digest: 'new' },
      votes: votes.map((vote) => ({ ...vote, human: vote.actor })),
      atRequest,
      now,
      humanOf,
      barred: new Set(barred.map(humanOf)),
    }
  })

const isIn = (rules: Rules, human: string, humanOf: (id: string) => string) =>
  rules.from.some((approver) => {
    const id = approver.split(':')[1] ?? ''
    return approver.startsWith('user:') ? humanOf(id) === human : (rules.members[id] ?? []).some((member) => humanOf(member) === human)
  })

describe('who may approve', () => {
  test('the requester never counts, by any account', () => {
    fc.assert(
      fc.property(question, (asked) => {
        const requester = asked.humanOf(asked.request.requester)
        const decided = decide(asked)
        expect(decided.approvals).not.toContain(requester)
        expect(mayVote(asked, decided, asked.request.requester)).toBe('own_request')
      }),
    )
  })

  test('one human counts once, whatever accounts and however often', () => {
    fc.assert(
      fc.property(question, (asked) => {
        const { approvals } = decide(asked)
        expect(new Set(approvals.map(asked.humanOf)).size).toBe(approvals.length)
        expect(decide({ ...asked, votes: [...asked.votes, ...asked.votes] }).approvals).toEqual(approvals)
      }),
    )
  })

  test('the stricter threshold of then and now counts', () => {
    fc.assert(
      fc.property(question, (asked) => {
        const decided = decide(asked)
        expect(decided.required).toBe(Math.max(asked.atRequest.required, asked.now.required))
        expect(!decided.isGranted || decided.approvals.length >= decided.required).toBe(true)
      }),
    )
  })

  test('who counts is in the rules then and now', () => {
    fc.assert(
      fc.property(question, (asked) => {
        for (const human of decide(asked).approvals) {
          expect(isIn(asked.atRequest, human, asked.humanOf)).toBe(true)
          expect(isIn(asked.now, human, asked.humanOf)).toBe(true)
        }
      }),
    )
  })

  test('a vote for an older digest does not count', () => {
    fc.assert(
      fc.property(question, (asked) => {
        const current = asked.votes.filter((vote) => vote.digest === 'new')
        const decided = decide(asked)
        expect(decided).toEqual(decide({ ...asked, votes: current }))
        expect(decide({ ...asked, request: { ...asked.request, digest: null } }).isGranted).toBe(false)
      }),
    )
  })

  test('one rejection of this digest is enough, whoever approved', () => {
    fc.assert(
      fc.property(question, (asked) => {
        const decided = decide({ ...asked, votes: [...asked.votes, { actor: 'U6', human: 'U6', digest: 'new', decision: 'reject' }] })
        expect(decided.isRejected).toBe(true)
        expect(decided.isGranted).toBe(false)
      }),
    )
  })

  test('a group that cannot be read gives nobody a vote', () => {
    fc.assert(
      fc.property(question, (asked) => {
        const unread = { ...asked, now: { ...asked.now, members: {} } }
        const before = decide(asked)
        for (const human of decide(unread).approvals) expect(before.approvals).toContain(human)
      }),
    )
  })

  test('nobody gains by stricter rules, fewer members or a barred account', () => {
    fc.assert(
      fc.property(question, rules, (asked, other) => {
        const stricter = {
          ...asked,
          now: {
            ...asked.now,
            required: asked.now.required + 1,
            members: Object.fromEntries(
              Object.entries(asked.now.members).map(([group, members]) => [
                group,
                members.filter((member) => (other.members[group] ?? []).includes(member)),
              ]),
            ),
          },
        }
        expect(!decide(stricter).isGranted || decide(asked).isGranted).toBe(true)
      }),
    )
  })
})

describe('the rules of a target', () => {
  const target = (approvals: object) => {
    const settings = configSchema.parse({ targets: { prod: { ...baseTarget, approvals } } }).targets['prod']
    if (settings === undefined) throw new Error('no target')
    return { ...settings, name: 'prod', title: 'Production' }
  }
  const strict = target({ required: 1, from: ['user:U0BOB'], breaking: { required: 2, from: ['group:S0DBA'] } })

  test('are stricter for what is breaking, and for what is unclear', () => {
    expect(rulesOf(strict, ['additive'])).toMatchObject({ required: 1, from: ['user:U0BOB'] })
    expect(rulesOf(strict, ['additive', 'breaking'])).toMatchObject({ required: 2, from: ['group:S0DBA'] })
    expect(rulesOf(strict, ['unclear'])).toMatchObject({ required: 2, from: ['group:S0DBA'] })
  })

  test('never ask for fewer because a change is breaking', () => {
    expect(rulesOf(target({ required: 3, from: ['user:U0BOB'], breaking: { required: 2 } }), ['breaking']).required).toBe(3)
  })

  test('are those of the class of the plan, where it has some', () => {
    const settings = configSchema.parse({
      targets: {
        prod: {
          ...baseTarget,
          approvals: { required: 2, from: ['user:U0BOB', 'user:U0CAROL'] },
          classes: {
            additive: { approvals: { required: 1 } },
            breaking: { approvals: { required: 1, from: ['group:S0DBA'] } },
          },
        },
      },
    }).targets['prod']
    if (settings === undefined) throw new Error('no target')
    const byClass = { ...settings, name: 'prod', title: 'Production' }
    expect(rulesOf(byClass, [])).toMatchObject({ required: 1, from: ['user:U0BOB', 'user:U0CAROL'] })
    expect(rulesOf(byClass, ['additive', 'transformative'])).toMatchObject({ required: 2, from: ['user:U0BOB', 'user:U0CAROL'] })
    expect(rulesOf(byClass, ['additive', 'unclear'])).toMatchObject({ required: 2, from: ['group:S0DBA'] })
  })

  test('have a hash that does not depend on the order in the file, and changes with the rules', () => {
    const one = target({ required: 1, from: ['user:U0BOB'] })
    const reordered = target({ from: ['user:U0BOB'], required: 1 })
    expect(policyHash(one)).toMatch(/^[0-9a-f]{64}$/)
    expect(policyHash(reordered)).toBe(policyHash(one))
    expect(policyHash(target({ required: 2, from: ['user:U0BOB'] }))).not.toBe(policyHash(one))
  })

  test('that nobody else can meet are refused when the request is made', () => {
    const rules = { required: 1, from: ['user:U0BOB'], members: {} }
    expect(canBeApproved(rules, 'U0ALICE', (id) => id)).toBeUndefined()
    expect(canBeApproved(rules, 'U0BOB', (id) => id)?.text).toBe(
      'This needs an approval from <@U0BOB>, and without you nobody is left to give it. Somebody else can ask, or `approvals` in lockkeeper.yaml names more people.',
    )
  })
})

describe('logins and second accounts', () => {
  test('lead to one human, through any number of steps', () => {
    const humanOf = humanIn({ 'os:deploy': 'U2', U2: 'U1' })
    expect(['os:deploy', 'U2', 'U1', 'U3'].map(humanOf)).toEqual(['U1', 'U1', 'U1', 'U3'])
  })

  test('those in a circle are one human', () => {
    const humanOf = humanIn({ U1: 'U2', U2: 'U1' })
    expect(humanOf('U1')).toBe(humanOf('U2'))
  })

  test('names of object members are names', () => {
    expect(humanIn({})('constructor')).toBe('constructor')
  })
})
