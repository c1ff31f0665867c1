import { SILENT, type Arena, type Json } from './arena.ts'
import { LISTED, type Row } from './row.ts'

const MALFORMED =
  'This came in a form that Slack does not use, so it was not read. Nothing was started. Whoever operates Lockkeeper finds the reason in its log.'
const UNKNOWN_BUTTON =
  'This button belongs to no request that Lockkeeper knows. Nothing was changed. Use the buttons of the newest card in the channel.'

const slash = (row: string, attack: string, changes: Json, told = MALFORMED, audit: Row['audit'] = LISTED): Row => ({
  row,
  entry: 'slash command',
  attack,
  run: (arena) => arena.command({ text: 'deploy closed', ...changes }),
  told,
  audit,
})

const window = (row: string, attack: string, changes: (arena: Arena) => Json, told = MALFORMED, audit: Row['audit'] = LISTED): Row => ({
  row,
  entry: 'modal',
  attack,
  run: (arena) => arena.window(changes(arena)),
  told,
  audit,
})

const button = (
  row: string,
  attack: string,
  changes: (arena: Arena) => Json,
  told = UNKNOWN_BUTTON,
  audit: Row['audit'] = LISTED,
): Row => ({
  row,
  entry: 'button',
  attack,
  run: (arena) => arena.button(changes(arena), told === SILENT ? 'silent' : undefined),
  told,
  audit,
})

const shown = (token: string, digest: string) => ({ view: { private_metadata: JSON.stringify({ token, digest }) } })
const withValue = (value: string): Json => ({ actions: [{ value }] })
const nested = (depth: number): Json => (depth === 0 ? {} : { a: nested(depth - 1) })
const proto = JSON.parse('{"__proto__":{"isAdmin":true}}') as Json

/** Deliveries that came the right way and are none of Slack: only somebody who has the secret, or Slack itself, could send them. */
export const deliveryRows: readonly Row[] = [
  slash(
    'wrong team',
    'a command of another workspace',
    { team_id: 'T0OTHER' },
    'Lockkeeper serves another workspace. Nothing was started.',
  ),
  slash('wrong team', 'a command of no workspace', { team_id: undefined }, 'Lockkeeper serves another workspace. Nothing was started.'),
  window(
    'wrong team',
    'a vote of another workspace',
    () => ({ team: { id: 'T0OTHER' }, user: { id: 'U0BOB' } }),
    'Lockkeeper serves another workspace. Nothing was started.',
  ),
  button('wrong team', 'a click of another workspace', () => ({ team: { id: 'T0OTHER' } }), SILENT),
  slash(
    'wrong app',
    'a command of another app',
    { api_app_id: 'A0OTHER' },
    'This was sent for another app than Lockkeeper. Nothing was started.',
  ),
  slash(
    'wrong app',
    'a command of no app',
    { api_app_id: undefined },
    'This was sent for another app than Lockkeeper. Nothing was started.',
  ),
  window(
    'wrong app',
    'a vote of another app',
    () => ({ api_app_id: 'A0OTHER', user: { id: 'U0BOB' } }),
    'This was sent for another app than Lockkeeper. Nothing was started.',
  ),
  button('wrong app', 'a click of another app', () => ({ api_app_id: 'A0OTHER' }), SILENT),
  ...[
    'http://127.0.0.1:1/steal',
    'http://169.254.169.254/latest/meta-data/',
    'https://hooks.slack.com.evil.example/commands',
    'https://hooks.slack.com@evil.example/',
    'https://user:secret@hooks.slack.com/',
    'http://hooks.slack.com/commands',
    'https://hooks.slack.com:8443/commands',
    'file:///etc/passwd',
    'not an address',
  ].map((url) => slash('answers go to Slack alone', `\`response_url\` is ${url}`, { response_url: url })),
  window('answers go to Slack alone', '`response_urls` of a window lead elsewhere', () => ({
    response_urls: [{ response_url: 'http://127.0.0.1:1/' }],
  })),
  slash('ids are of Slack', 'the person is a login of the machine', { user_id: 'os:root' }),
  slash('ids are of Slack', 'the person is two', { user_id: 'U0BOB,U0CAROL' }),
  slash('ids are of Slack', 'the person has a line break', { user_id: 'U0BOB\n' }),
  slash('ids are of Slack', 'the channel is a mention', { channel_id: '<!channel>' }),
  slash('ids are of Slack', 'a trigger of 100,000 characters', { trigger_id: '1'.repeat(100_000) }),
  slash('ids are of Slack', 'a trigger with a NUL character', { trigger_id: '1\0' }),
  window('ids are of Slack', 'the voter is a login of the machine', () => ({ user: { id: 'os:root' } })),
  { ...window('JSON depth bombs', 'a window 1,000 levels deep', () => ({ view: { state: nested(1_000) } })), transport: 'socket' },
  {
    ...window('JSON depth bombs', 'a window 1,000 levels deep', () => ({ view: { state: nested(1_000) } }), 'HTTP 400', null),
    transport: 'http',
  },
  { ...window('`__proto__`', 'in the values of a window', () => ({ view: { state: { values: proto } } })), transport: 'socket' },
  {
    ...window('`__proto__`', 'in the values of a window', () => ({ view: { state: { values: proto } } }), 'HTTP 400', null),
    transport: 'http',
  },
  window(
    'forged metadata',
    'of no request',
    () => ({ user: { id: 'U0BOB' }, ...shown('r_ofNothing00000', '0'.repeat(64)) }),
    UNKNOWN_BUTTON,
  ),
  window('forged metadata', 'no JSON', () => ({ user: { id: 'U0BOB' }, view: { private_metadata: 'token' } }), UNKNOWN_BUTTON),
  window(
    'forged metadata',
    'SQL in place of a token',
    ({ digests }) => ({ user: { id: 'U0BOB' }, ...shown("' or 1=1 --", digests.prod) }),
    UNKNOWN_BUTTON,
  ),
  window(
    'forged metadata',
    'a NUL character in the token',
    ({ digests, tokens }) => ({
      user: { id: 'U0BOB' },
      view: { private_metadata: JSON.stringify({ token: `${tokens.prod}\0`, digest: digests.prod }) },
    }),
    UNKNOWN_BUTTON,
  ),
  window('forged metadata', '100,000 characters', () => ({ user: { id: 'U0BOB' }, view: { private_metadata: 'x'.repeat(100_000) } })),
  window(
    'other request',
    "another request's token with this one's digest",
    ({ digests, tokens }) => ({ user: { id: 'U0CAROL' }, ...shown(tokens.staging, digests.prod) }),
    LISTED,
  ),
  window(
    'older digest',
    'the digest of another plan',
    ({ tokens }) => ({ user: { id: 'U0BOB' }, ...shown(tokens.prod, 'a'.repeat(64)) }),
    LISTED,
  ),
  window('older digest', 'an empty digest', ({ tokens }) => ({ user: { id: 'U0BOB' }, ...shown(tokens.prod, '') }), LISTED),
  window('unknown window', 'a callback that no window has', () => ({ view: { callback_id: 'drop_database' } }), LISTED),
  window('unknown window', 'a callback that looks like one', () => ({ view: { callback_id: 'approve_request ' } }), LISTED),
  window(
    'forged metadata',
    'the form for a request, opened nowhere',
    () => ({ view: { callback_id: 'request_form', private_metadata: '{}' } }),
    LISTED,
  ),
  window(
    'a channel that the target does not allow',
    'the form for a request says that it was opened elsewhere',
    () => ({
      view: {
        callback_id: 'request_form',
        private_metadata: JSON.stringify({ channel: 'C0GENERAL', isDirect: false }),
        state: { values: { target: { target: { selected_option: { value: 'closed' } } } } },
      },
    }),
    LISTED,
  ),
  window('hostile text', 'half of a character as the reason', ({ digests, tokens }) => ({
    user: { id: 'U0BOB' },
    view: {
      callback_id: 'reject_request',
      private_metadata: JSON.stringify({ token: tokens.prod, digest: digests.prod }),
      state: { values: { reason: { reason: { value: 'no \ud800' } } } },
    },
  })),
  window(
    'hostile text',
    'a rejection without a reason',
    ({ digests, tokens }) => ({
      user: { id: 'U0BOB' },
      view: {
        callback_id: 'reject_request',
        private_metadata: JSON.stringify({ token: tokens.prod, digest: digests.prod }),
        state: { values: { reason: { reason: { value: ' ' } } } },
      },
    }),
    LISTED,
  ),
  button('forged action value', 'of no request', () => withValue('r_ofNothing00000')),
  button('forged action value', 'empty', () => withValue('')),
  button('forged action value', 'SQL', () => withValue("' or 1=1 --")),
  button('forged action value', "a request's number in place of its token", ({ ids }) => withValue(String(ids.prod))),
  button('forged action value', '100,000 characters', () => withValue('r'.repeat(100_000))),
  button('forged action value', 'a NUL character', () => withValue('r_\0'), SILENT),
  button(
    'unknown action',
    'a button that no card has',
    ({ tokens }) => ({ actions: [{ action_id: 'drop_database', value: tokens.prod }] }),
    LISTED,
  ),
  button(
    'other request',
    'the card of a request that was cancelled',
    ({ tokens }) => ({ user: { id: 'U0BOB' }, actions: [{ value: tokens.cancelled }] }),
    LISTED,
  ),
]
