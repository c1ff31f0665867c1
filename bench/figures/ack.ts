import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { defaultSeed, type Seed } from '../../playground/server/seed.ts'
import { launchBots, type Bots } from '../../test/helpers/bots.ts'
import { startFlow, type Flow } from '../../test/helpers/flow.ts'
import { until } from '../../test/helpers/until.ts'
import { watchCpu } from '../stage/cpu.ts'
import { median, ms, percentile, under, type Measurement } from '../figure.ts'

const REPLICAS = 3
/** Slack takes a post a second in each channel, and three at once. */
const CARDS_A_CHANNEL = 3
const WITHIN_MS = 1_000

/**
 * As many people as there are open approvals, each pressing Approve on a card of his own within the same second, and then, within
 * another second, the button of the window that counts the vote: Slack's own envelopes over Socket Mode to three processes with one
 * store. Each vote is in the store before it is acknowledged.
 */
export const ack: Measurement = {
  figures: [{ name: 'ack-p99-ms', unit: 'ms', aim: under(500) }],
  async measure({ sized, say }) {
    const count = sized({ small: 60, full: 200 })
    const approvals = Array.from({ length: count }, (_, n) => approvalOf(n))
    const received: Bots[] = []
    const flow = await startFlow({
      target: () => ({ approvals: { required: 2, from: ['user:U0BOB', 'user:U0CAROL'] } }),
      workspace: { seed: seedFor(approvals) },
      launch(known) {
        addTargets(known.configPath, approvals)
        return launchBots({}, (bots) => received.push(bots))(known)
      },
    })
    try {
      for (let n = 1; n < REPLICAS; n++) await received[0]?.start()
      const { id } = await flow.ask()
      await openAll(flow, id, approvals)
      const cards = await until('every card can be decided', () => cardsOf(flow, approvals), 300_000)
      say(`${count} cards are open in ${flow.slack.socket.connections()} connections of ${REPLICAS} processes`)
      const clicking = watchCpu()
      const clicks = await inOneSecond(flow, approvals, ({ person, target }) =>
        flow.slack.as(person).click({ channel: cards.get(target)?.channel ?? '', ts: cards.get(target)?.ts ?? '' }, 'approve'),
      )
      say(`during the clicks: ${clicking.stop()}`)
      await until('every window is open', () => approvals.every(({ person }) => flow.slack.modal(person) !== null))
      const voting = watchCpu()
      const votes = await inOneSecond(flow, approvals, ({ person }) => flow.slack.as(person).submit(flow.slack.modal(person)?.viewId ?? ''))
      say(`during the votes: ${voting.stop()}`)
      const [counted] = await flow.store.query<{ count: number }>('select count(*)::int as count from lockkeeper.vote')
      if (counted?.count !== count) throw new Error(`${counted?.count} of ${count} votes were counted`)
      const text = (times: readonly number[]) =>
        `median ${ms(median(times))}, 99th percentile ${ms(percentile(times, 99))}, longest ${ms(Math.max(...times))}`
      return {
        'ack-p99-ms': {
          value: Math.max(percentile(clicks, 99), percentile(votes, 99)),
          note: `the worse of two seconds with ${count} open approvals and ${REPLICAS} bots; ${count} clicks on cards: ${text(clicks)}; ${count} votes: ${text(votes)}`,
        },
      }
    } finally {
      await flow.close()
    }
  },
}

type Approval = { readonly target: string; readonly channel: string; readonly person: string }

const approvalOf = (n: number): Approval => ({
  target: `bench${n}`,
  channel: `C0BENCH${Math.floor(n / CARDS_A_CHANNEL)}`,
  person: `U0BENCH${n}`,
})

function seedFor(approvals: readonly Approval[]): Seed {
  const people = approvals.map(({ person }, n) => ({
    id: person,
    name: `approver${n}`,
    realName: `Approver ${n}`,
    title: '',
    timezone: 'Etc/UTC',
    kind: 'member' as const,
    color: '#2f6f9f',
  }))
  const channels = [...new Set(approvals.map(({ channel }) => channel))].map((id) => ({
    id,
    name: id.toLowerCase(),
    topic: '',
    isPrivate: false,
    members: ['U0ALICE', 'U0LOCKBOT', ...approvals.filter(({ channel }) => channel === id).map(({ person }) => person)],
  }))
  return { ...defaultSeed, people: [...defaultSeed.people, ...people], channels: [...defaultSeed.channels, ...channels] }
}

/** Each approval belongs to a target of its own, since a target has one request at a time. */
function addTargets(configPath: string, approvals: readonly Approval[]): void {
  const config = JSON.parse(readFileSync(configPath, 'utf8')) as { targets: Record<string, object> }
  for (const { target, channel, person } of approvals)
    config.targets[target] = {
      ...config.targets['prod'],
      label: target,
      channel,
      approvals: { required: 2, from: [`user:${person}`, 'user:U0BOB'] },
    }
  writeFileSync(configPath, JSON.stringify(config))
}

/** The request that was really asked and planned, once for each target. Direct messages count as sent: Slack takes one a second of them. */
async function openAll(flow: Flow, id: number, approvals: readonly Approval[]): Promise<void> {
  await flow.store.transaction(async (tx) => {
    for (const [n, { target, channel, person }] of approvals.entries()) {
      const [made] = await tx.query<{ id: number }>(
        `insert into lockkeeper.request (token, target, identity_key, requester, requester_human, channel, ask, state, plan, digest, evidence, policy, expires_at)
         select token || $2, $3, identity_key || $2, requester, requester_human, $4, ask, state, plan || jsonb_build_object('target', $3::text), digest, evidence,
           policy || jsonb_build_object('from', jsonb_build_array($5::text, 'user:U0BOB')), expires_at
         from lockkeeper.request where id = $1 returning id`,
        [id, `bench${n}`, target, channel, `user:${person}`],
      )
      await tx.query(`insert into lockkeeper.event (request_id, kind) values ($1, 'requested')`, [made?.id])
      for (const user of [person, 'U0BOB'])
        await tx.query(`insert into lockkeeper.message (key, request_id, channel, intent, state) values ($1, $2, 'D0', $1, 'sent')`, [
          `dm:${made?.id}:${user}`,
          made?.id,
        ])
    }
  })
}

type Card = { readonly channel: string; readonly ts: string }

/** Undefined as long as one is missing. */
async function cardsOf(flow: Flow, approvals: readonly Approval[]): Promise<ReadonlyMap<string, Card> | undefined> {
  const rows = await flow.store.query<Card & { target: string }>(
    `select r.target, m.channel, m.ts from lockkeeper.message m join lockkeeper.request r on m.key = 'card:' || r.id
     where m.ts is not null and r.drawn_revision >= r.revision and r.draw_lease is null`,
  )
  const cards = new Map(rows.map((row) => [row.target, row]))
  return approvals.every(({ target }) => cards.has(target)) ? cards : undefined
}

/** How long each acknowledgement took, at an even pace. */
async function inOneSecond(
  flow: Flow,
  approvals: readonly Approval[],
  act: (approval: Approval) => Promise<{ readonly ok: boolean }>,
): Promise<readonly number[]> {
  const before = flow.slack.deliveries.log.length
  const began = performance.now()
  const acts: Promise<{ readonly ok: boolean }>[] = []
  for (const [n, approval] of approvals.entries()) {
    const due = began + (n * WITHIN_MS) / approvals.length - performance.now()
    if (due > 1) await wait(due)
    acts.push(act(approval))
  }
  const refused = (await Promise.all(acts)).find(({ ok }) => !ok)
  if (refused !== undefined) throw new Error(`a click was not taken: ${JSON.stringify(refused)}`)
  return flow.slack.deliveries.log.slice(before).map(({ tookMs }) => tookMs)
}
