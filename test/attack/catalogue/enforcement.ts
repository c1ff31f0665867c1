import type { Arena } from './arena.ts'
import { LISTED, type Row } from './row.ts'

const row = (name: string, entry: Row['entry'], attack: string, run: Row['run']): Row => ({
  row: name,
  entry,
  attack,
  run,
  told: LISTED,
  audit: LISTED,
})

const OFFER = 'an-offer-to-alice'

/** What was offered to Alice, for as long as `act` goes on. */
const offered = (run: Row['run'], takenAs?: keyof Arena['ids']): Row['run'] => {
  return async (arena) => {
    const { store } = arena.flow
    await store.query(
      `insert into lockkeeper.offer (token, account, human, target, ask, not_before, request_id)
       values ($1, 'U0ALICE', 'U0ALICE', 'two', '{"ref":null,"reason":null,"skipApp":false}', lockkeeper.now() + interval '9 hours', $2)`,
      [OFFER, takenAs === undefined ? null : arena.ids[takenAs]],
    )
    try {
      return await run(arena)
    } finally {
      await store.query('delete from lockkeeper.offer where token = $1', [OFFER])
    }
  }
}

const click = (user: string, action: 'queue' | 'ask_again', token: (arena: Arena) => string): Row['run'] => {
  return (arena) => arena.button({ user: { id: user }, actions: [{ action_id: action, value: token(arena) }] })
}

/** Closed hours, freezes, locks, and what is asked for by a button. */
export const enforcementRows: readonly Row[] = [
  ...['freeze closed for 2h', 'lock closed for 2h', 'unfreeze closed', 'unlock closed'].map((text) =>
    row('not among those who may freeze', 'slash command', `types ${text}`, (arena) => arena.type(text, 'U0ERIN', 'C0PROD')),
  ),
  row('not among those who may freeze', 'slash command', 'freezes all targets, one of which is not theirs', (arena) =>
    arena.type('freeze all for 2h', 'U0ERIN', 'C0PROD'),
  ),
  row('an override that nobody has', 'slash command', 'overrides the hours of a target that names nobody', (arena) =>
    arena.type('deploy closed --override "it burns"', 'U0CAROL', 'C0PROD'),
  ),
  row('an override of somebody else', 'slash command', 'overrides the hours of a target that names another', (arena) =>
    arena.type('deploy two --override "it burns"', 'U0ERIN', 'C0PROD'),
  ),
  row('an offer to somebody else', 'button', 'takes what was offered to another', offered(click('U0ERIN', 'queue', () => OFFER))),
  row(
    'an offer that was taken',
    'button',
    'takes what was queued already',
    offered(
      click('U0ALICE', 'queue', () => OFFER),
      'cancelled',
    ),
  ),
  row(
    'an offer that is not there',
    'button',
    'takes what was never offered',
    click('U0ALICE', 'queue', () => 'x'.repeat(32)),
  ),
  row(
    'asking again',
    'button',
    'asks again for what another had asked for',
    click('U0BOB', 'ask_again', ({ tokens }) => tokens.expired),
  ),
  row(
    'asking again',
    'button',
    'asks again for what has not ended',
    click('U0ALICE', 'ask_again', ({ tokens }) => tokens.prod),
  ),
]
