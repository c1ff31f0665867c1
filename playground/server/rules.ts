import type { Seed } from './seed.ts'
import type { Workspace } from './workspace.ts'

/**
 * What Slack refuses, as data: the method, what is bad about the call, Slack's error and where that is written.
 * The table stands on its own: it knows neither the bot nor how this server decides.
 */
export type Rule = {
  readonly method: string
  readonly bad: string
  readonly error: string
  /** A page of docs.slack.dev, or `slack.md` where the limit was measured. */
  readonly source: string
  readonly args: Args | ((scene: Scene) => Args)
  /** A line that `response_metadata.messages` must have. */
  readonly message?: string
  /** What must be so before the call. */
  readonly given?: (workspace: Workspace) => Promise<void> | void
  readonly seed?: Partial<Seed>
  readonly token?: 'none' | 'wrong' | 'app' | 'bot'
  /** Fields besides `error` that the answer must have. */
  readonly also?: Readonly<Record<string, unknown>>
}

type Args = Readonly<Record<string, unknown>>

/** What a rule's arguments may need from the workspace. `ts` is a message of the app in #deploys, `theirs` one of Alice. */
export type Scene = {
  readonly ts: string
  readonly theirs: string
  readonly ephemeral: string
  readonly trigger: string
  readonly usedTrigger: string
  readonly expiredTrigger: string
  /** An open modal of Alice with external id `taken`. */
  readonly viewId: string
}

const docs = (page: string): string => `docs.slack.dev/reference/${page}`
const method = (name: string): string => docs(`methods/${name}`)
const block = (name: string): string => docs(`block-kit/blocks/${name}-block`)
const element = (name: string): string => docs(`block-kit/block-elements/${name}-element`)
const composition = (name: string): string => docs(`block-kit/composition-objects/${name}-object`)

const plain = (text: string) => ({ type: 'plain_text', text })
const mrkdwn = (text: string) => ({ type: 'mrkdwn', text })
const section = (text: string) => ({ type: 'section', text: mrkdwn(text) })
const button = (more: object = {}) => ({ type: 'button', action_id: 'go', text: plain('Go'), ...more })
const actions = (...elements: object[]) => ({ type: 'actions', elements })
const rich = (text: string) => ({ type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text }] }] })
const task = (more: object = {}) => ({ task_id: 't1', title: 'Back up', status: 'pending', ...more })
const cell = (text: string) => ({ type: 'raw_text', text })
const option = (more: object = {}) => ({ text: plain('One'), value: '1', ...more })
const select = (more: object) => actions({ type: 'static_select', action_id: 'pick', ...more })
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index))
const modal = (more: object = {}) => ({ type: 'modal', title: plain('Reject'), blocks: [section('Why?')], ...more })
const input = (more: object = {}) => ({
  type: 'input',
  label: plain('Why'),
  element: { type: 'plain_text_input', action_id: 'why' },
  ...more,
})
const home = (more: object = {}) => ({ type: 'home', blocks: [section('Nothing waits')], ...more })

const deploys = { channel: 'C0DEPLOYS' }
const hello = { ...deploys, text: 'hello' }

const access: readonly Rule[] = [
  { method: 'auth.test', bad: 'no token', error: 'not_authed', source: method('auth.test'), args: {}, token: 'none' },
  { method: 'auth.test', bad: 'an unknown token', error: 'invalid_auth', source: method('auth.test'), args: {}, token: 'wrong' },
  {
    method: 'auth.test',
    bad: 'a revoked token',
    error: 'token_revoked',
    source: method('auth.test'),
    args: {},
    given: (w) => w.revokeToken('bot'),
  },
  {
    method: 'chat.postMessage',
    bad: 'an app-level token',
    error: 'not_allowed_token_type',
    source: method('chat.postMessage'),
    args: hello,
    token: 'app',
  },
  {
    method: 'apps.connections.open',
    bad: 'a bot token',
    error: 'not_allowed_token_type',
    source: method('apps.connections.open'),
    args: {},
  },
  { method: 'chat.nothing', bad: 'a method that does not exist', error: 'unknown_method', source: 'docs.slack.dev/apis/web-api', args: {} },
  {
    method: 'chat.postMessage',
    bad: 'without its scope',
    error: 'missing_scope',
    source: method('chat.postMessage'),
    args: hello,
    given: (w) => w.setScopes(['commands']),
    also: { needed: 'chat:write', provided: 'commands' },
  },
  {
    method: 'conversations.history',
    bad: 'a direct conversation without im:history',
    error: 'missing_scope',
    source: method('conversations.history'),
    args: { channel: 'D0ALICE' },
    given: (w) => w.setScopes(['chat:write']),
    also: { needed: 'im:history' },
  },
  {
    method: 'conversations.join',
    bad: 'without channels:join',
    error: 'missing_scope',
    source: method('conversations.join'),
    args: { channel: 'C0GENERAL' },
    also: { needed: 'channels:join' },
  },
]

const places: readonly Rule[] = [
  {
    method: 'chat.postMessage',
    bad: 'a channel that does not exist',
    error: 'channel_not_found',
    source: method('chat.postMessage'),
    args: { channel: 'C0NOWHERE', text: 'hello' },
  },
  {
    method: 'chat.postMessage',
    bad: 'no channel',
    error: 'invalid_arguments',
    source: method('chat.postMessage'),
    args: { text: 'hello' },
    message: '[ERROR] missing required field: channel',
  },
  {
    method: 'chat.postMessage',
    bad: 'a public channel that the app is not in',
    error: 'not_in_channel',
    source: method('chat.postMessage'),
    args: { channel: 'C0GENERAL', text: 'hello' },
  },
  {
    method: 'chat.postMessage',
    bad: 'a private channel that the app is not in',
    error: 'channel_not_found',
    source: method('chat.postMessage'),
    args: { channel: 'C0PROD', text: 'hello' },
    given: (w) => w.setMembers('C0PROD', ['U0ALICE']),
  },
  {
    method: 'chat.postMessage',
    bad: 'an archived channel',
    error: 'is_archived',
    source: method('chat.postMessage'),
    args: hello,
    given: (w) => w.archive('C0DEPLOYS'),
  },
  {
    method: 'chat.update',
    bad: 'an archived channel',
    error: 'is_archived',
    source: method('chat.update'),
    args: ({ ts }) => ({ ...hello, ts }),
    given: (w) => w.archive('C0DEPLOYS'),
  },
  {
    method: 'chat.postMessage',
    bad: 'a thread that does not exist',
    error: 'thread_not_found',
    source: 'slack.md (stricter than Slack, which may take any thread_ts)',
    args: { ...hello, thread_ts: '1.000001' },
  },
  {
    method: 'conversations.replies',
    bad: 'a thread that does not exist',
    error: 'thread_not_found',
    source: method('conversations.replies'),
    args: { ...deploys, ts: '1.000001' },
  },
  {
    method: 'conversations.info',
    bad: 'a channel that does not exist',
    error: 'channel_not_found',
    source: method('conversations.info'),
    args: { channel: 'C0NOWHERE' },
  },
  {
    method: 'conversations.history',
    bad: 'a channel that the app is not in',
    error: 'not_in_channel',
    source: method('conversations.history'),
    args: { channel: 'C0GENERAL' },
  },
  {
    method: 'conversations.history',
    bad: 'a limit that is not a number',
    error: 'invalid_limit',
    source: method('conversations.history'),
    args: { ...deploys, limit: 'many' },
  },
  { method: 'conversations.open', bad: 'nobody', error: 'users_list_not_supplied', source: method('conversations.open'), args: {} },
  {
    method: 'conversations.open',
    bad: 'somebody unknown',
    error: 'user_not_found',
    source: method('conversations.open'),
    args: { users: 'U0NOBODY' },
  },
  {
    method: 'conversations.open',
    bad: 'a deactivated person',
    error: 'user_disabled',
    source: method('conversations.open'),
    args: { users: 'U0ZOE' },
  },
  {
    method: 'chat.postEphemeral',
    bad: 'a person outside the channel',
    error: 'user_not_in_channel',
    source: method('chat.postEphemeral'),
    args: { channel: 'C0PROD', user: 'U0DAVE', text: 'hello' },
  },
  { method: 'users.info', bad: 'somebody unknown', error: 'user_not_found', source: method('users.info'), args: { user: 'U0NOBODY' } },
  {
    method: 'usergroups.users.list',
    bad: 'an unknown group',
    error: 'no_such_subteam',
    source: method('usergroups.users.list'),
    args: { usergroup: 'S0NONE' },
  },
  {
    method: 'usergroups.users.list',
    bad: 'a free workspace',
    error: 'plan_upgrade_required',
    source: method('usergroups.users.list'),
    args: { usergroup: 'S0DBA' },
    seed: { plan: 'free' },
  },
  {
    method: 'usergroups.list',
    bad: 'a free workspace',
    error: 'plan_upgrade_required',
    source: method('usergroups.list'),
    args: {},
    seed: { plan: 'free' },
  },
]

const texts: readonly Rule[] = [
  { method: 'chat.postMessage', bad: 'no text and no blocks', error: 'no_text', source: method('chat.postMessage'), args: deploys },
  {
    method: 'chat.postMessage',
    bad: 'empty blocks and no text',
    error: 'no_text',
    source: method('chat.postMessage'),
    args: { ...deploys, blocks: [] },
  },
  {
    method: 'chat.postMessage',
    bad: 'text over 40,000 characters',
    error: 'msg_too_long',
    source: method('chat.postMessage'),
    args: { ...deploys, text: 'x'.repeat(40_001) },
  },
  {
    method: 'chat.update',
    bad: 'text over 4,000 characters',
    error: 'msg_too_long',
    source: 'slack.md',
    args: ({ ts }) => ({ ...deploys, ts, text: 'x'.repeat(4_001) }),
  },
  {
    method: 'chat.postMessage',
    bad: 'blocks that are not JSON',
    error: 'invalid_blocks_format',
    source: method('chat.postMessage'),
    args: { ...deploys, blocks: '[{' },
  },
  {
    method: 'chat.postMessage',
    bad: 'blocks over about 13,200 characters together',
    error: 'msg_blocks_too_long',
    source: 'slack.md',
    args: { ...hello, blocks: times(5, () => section('x'.repeat(2_900))) },
  },
  {
    method: 'chat.postMessage',
    bad: 'two tables',
    error: 'invalid_attachments',
    source: block('table'),
    args: { ...hello, blocks: times(2, () => ({ type: 'table', rows: [[cell('x')]] })) },
    message: '[ERROR] only_one_table_allowed',
  },
  {
    method: 'chat.postMessage',
    bad: 'metadata without an event payload',
    error: 'invalid_metadata_format',
    source: 'docs.slack.dev/messaging/message-metadata',
    args: { ...hello, metadata: { event_type: 'x' } },
  },
  {
    method: 'chat.update',
    bad: 'a message that does not exist',
    error: 'message_not_found',
    source: method('chat.update'),
    args: { ...hello, ts: '1.000001' },
  },
  {
    method: 'chat.update',
    bad: 'an ephemeral message',
    error: 'message_not_found',
    source: method('chat.update'),
    args: ({ ephemeral }) => ({ ...hello, ts: ephemeral }),
  },
  {
    method: 'chat.update',
    bad: 'a message of somebody else',
    error: 'cant_update_message',
    source: method('chat.update'),
    args: ({ theirs }) => ({ ...hello, ts: theirs }),
  },
  {
    method: 'chat.update',
    bad: 'a channel named by a person',
    error: 'channel_not_found',
    source: method('chat.update'),
    args: ({ ts }) => ({ channel: 'U0ALICE', ts, text: 'hello' }),
  },
  {
    method: 'chat.update',
    bad: 'a message older than the edit window',
    error: 'edit_window_closed',
    source: method('chat.update'),
    args: ({ ts }) => ({ ...hello, ts }),
    seed: { editWindowMinutes: 0 },
  },
  {
    method: 'chat.delete',
    bad: 'a message of somebody else',
    error: 'cant_delete_message',
    source: method('chat.delete'),
    args: ({ theirs }) => ({ ...deploys, ts: theirs }),
  },
  {
    method: 'chat.delete',
    bad: 'a message that does not exist',
    error: 'message_not_found',
    source: method('chat.delete'),
    args: { ...deploys, ts: '1.000001' },
  },
  {
    method: 'chat.getPermalink',
    bad: 'a message that does not exist',
    error: 'message_not_found',
    source: method('chat.getPermalink'),
    args: { ...deploys, message_ts: '1.000001' },
  },
]

/** Bad blocks of a message: each is sent with chat.postMessage and refused with `invalid_blocks`. */
const blocksOfMessages: readonly (readonly [bad: string, blocks: readonly object[], source: string, message: string])[] = [
  [
    'over 50 blocks',
    times(51, () => ({ type: 'divider' })),
    docs('block-kit/blocks'),
    'no more than 50 items allowed [json-pointer:/blocks]',
  ],
  ['an unknown block', [{ type: 'banner' }], docs('block-kit/blocks'), 'unsupported type: banner [json-pointer:/blocks/0/type]'],
  ['a block without a type', [{ text: plain('x') }], docs('block-kit/blocks'), 'missing required field: type [json-pointer:/blocks/0]'],
  [
    'an unknown property',
    [{ type: 'divider', color: 'red' }],
    docs('block-kit/blocks'),
    'invalid additional property: color [json-pointer:/blocks/0]',
  ],
  [
    'a block_id over 255 characters',
    [{ type: 'divider', block_id: 'x'.repeat(256) }],
    block('divider'),
    'must be less than 256 characters [json-pointer:/blocks/0/block_id]',
  ],
  [
    'a block_id twice',
    [
      { type: 'divider', block_id: 'a' },
      { type: 'divider', block_id: 'a' },
    ],
    block('divider'),
    'block_id a already exists [json-pointer:/blocks/1/block_id]',
  ],
  [
    'section text over 3,000 characters',
    [section('x'.repeat(3001))],
    block('section'),
    'must be less than 3001 characters [json-pointer:/blocks/0/text/text]',
  ],
  ['empty section text', [section('')], block('section'), 'must be more than 0 characters [json-pointer:/blocks/0/text/text]'],
  [
    'a section with neither text nor fields',
    [{ type: 'section' }],
    block('section'),
    'missing required field: text [json-pointer:/blocks/0]',
  ],
  [
    'more than 10 fields',
    [{ type: 'section', fields: times(11, () => mrkdwn('x')) }],
    block('section'),
    'no more than 10 items allowed [json-pointer:/blocks/0/fields]',
  ],
  [
    'a field over 2,000 characters',
    [{ type: 'section', fields: [mrkdwn('x'.repeat(2001))] }],
    block('section'),
    'must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]',
  ],
  [
    'an accessory that is not one',
    [{ ...section('x'), accessory: { type: 'plain_text_input' } }],
    block('section'),
    'unsupported type: plain_text_input [json-pointer:/blocks/0/accessory/type]',
  ],
  [
    'header text over 150 characters',
    [{ type: 'header', text: plain('x'.repeat(151)) }],
    block('header'),
    'must be less than 151 characters [json-pointer:/blocks/0/text/text]',
  ],
  [
    'a header in mrkdwn',
    [{ type: 'header', text: mrkdwn('x') }],
    block('header'),
    'must be a valid enum value [json-pointer:/blocks/0/text/type]',
  ],
  [
    'more than 10 context elements',
    [{ type: 'context', elements: times(11, () => mrkdwn('x')) }],
    block('context'),
    'no more than 10 items allowed [json-pointer:/blocks/0/elements]',
  ],
  [
    'an empty context',
    [{ type: 'context', elements: [] }],
    block('context'),
    'no less than 1 items allowed [json-pointer:/blocks/0/elements]',
  ],
  [
    'more than 25 buttons',
    [actions(...times(26, (index) => button({ action_id: `b${index}` })))],
    block('actions'),
    'no more than 25 items allowed [json-pointer:/blocks/0/elements]',
  ],
  [
    'an unknown element',
    [actions({ type: 'slider', action_id: 'x' })],
    block('actions'),
    'unsupported type: slider [json-pointer:/blocks/0/elements/0/type]',
  ],
  [
    'an action_id twice in a block',
    [actions(button(), button())],
    block('actions'),
    'action_id go already exists in this block [json-pointer:/blocks/0/elements/1/action_id]',
  ],
  [
    'a text input among buttons',
    [actions({ type: 'plain_text_input', action_id: 'x' })],
    block('actions'),
    'unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]',
  ],
  [
    'button text over 75 characters',
    [actions(button({ text: plain('x'.repeat(76)) }))],
    element('button'),
    'must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]',
  ],
  [
    'a button in mrkdwn',
    [actions(button({ text: mrkdwn('Go') }))],
    element('button'),
    'must be a valid enum value [json-pointer:/blocks/0/elements/0/text/type]',
  ],
  [
    'a button value over 2,000 characters',
    [actions(button({ value: 'x'.repeat(2001) }))],
    element('button'),
    'must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]',
  ],
  [
    'a button url over 3,000 characters',
    [actions(button({ url: `https://x/${'x'.repeat(3000)}` }))],
    element('button'),
    'must be less than 3001 characters [json-pointer:/blocks/0/elements/0/url]',
  ],
  [
    'an unknown button style',
    [actions(button({ style: 'warning' }))],
    element('button'),
    'must be a valid enum value [json-pointer:/blocks/0/elements/0/style]',
  ],
  [
    'an action_id over 255 characters',
    [actions(button({ action_id: 'x'.repeat(256) }))],
    element('button'),
    'must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]',
  ],
  [
    'a confirm title over 100 characters',
    [actions(button({ confirm: { title: plain('x'.repeat(101)), text: plain('x'), confirm: plain('Yes'), deny: plain('No') } }))],
    composition('confirmation-dialog'),
    'must be less than 101 characters [json-pointer:/blocks/0/elements/0/confirm/title/text]',
  ],
  [
    'a confirm text over 300 characters',
    [actions(button({ confirm: { title: plain('x'), text: mrkdwn('x'.repeat(301)), confirm: plain('Yes'), deny: plain('No') } }))],
    composition('confirmation-dialog'),
    'must be less than 301 characters [json-pointer:/blocks/0/elements/0/confirm/text/text]',
  ],
  [
    'a confirm button over 30 characters',
    [actions(button({ confirm: { title: plain('x'), text: plain('x'), confirm: plain('x'.repeat(31)), deny: plain('No') } }))],
    composition('confirmation-dialog'),
    'must be less than 31 characters [json-pointer:/blocks/0/elements/0/confirm/confirm/text]',
  ],
  [
    'a confirm without a way out',
    [actions(button({ confirm: { title: plain('x'), text: plain('x'), confirm: plain('Yes') } }))],
    composition('confirmation-dialog'),
    'missing required field: deny [json-pointer:/blocks/0/elements/0/confirm]',
  ],
  ['a menu without options', [select({})], element('select-menu'), 'missing required field: options [json-pointer:/blocks/0/elements/0]'],
  [
    'a menu with over 100 options',
    [select({ options: times(101, (index) => option({ value: String(index) })) })],
    element('select-menu'),
    'no more than 100 items allowed [json-pointer:/blocks/0/elements/0/options]',
  ],
  [
    'option text over 75 characters',
    [select({ options: [option({ text: plain('x'.repeat(76)) })] })],
    composition('option'),
    'must be less than 76 characters [json-pointer:/blocks/0/elements/0/options/0/text/text]',
  ],
  [
    'an option value over 150 characters',
    [select({ options: [option({ value: 'x'.repeat(151) })] })],
    composition('option'),
    'must be less than 151 characters [json-pointer:/blocks/0/elements/0/options/0/value]',
  ],
  [
    'an option description over 75 characters',
    [select({ options: [option({ description: plain('x'.repeat(76)) })] })],
    composition('option'),
    'must be less than 76 characters [json-pointer:/blocks/0/elements/0/options/0/description/text]',
  ],
  [
    'an overflow menu with over 5 options',
    [actions({ type: 'overflow', action_id: 'more', options: times(6, (index) => option({ value: String(index) })) })],
    element('overflow-menu'),
    'no more than 5 items allowed [json-pointer:/blocks/0/elements/0/options]',
  ],
  [
    'over 10 checkboxes',
    [actions({ type: 'checkboxes', action_id: 'tick', options: times(11, (index) => option({ value: String(index) })) })],
    element('checkboxes'),
    'no more than 10 items allowed [json-pointer:/blocks/0/elements/0/options]',
  ],
  [
    'a placeholder over 150 characters',
    [select({ options: [option()], placeholder: plain('x'.repeat(151)) })],
    element('select-menu'),
    'must be less than 151 characters [json-pointer:/blocks/0/elements/0/placeholder/text]',
  ],
  [
    'a date that is none',
    [actions({ type: 'datepicker', action_id: 'day', initial_date: '20.11.2026' })],
    element('date-picker'),
    'must be a date in the format YYYY-MM-DD [json-pointer:/blocks/0/elements/0/initial_date]',
  ],
  [
    'an image without alt text',
    [{ type: 'image', image_url: 'https://x/y.png' }],
    block('image'),
    'missing required field: alt_text [json-pointer:/blocks/0]',
  ],
  [
    'an alert in a message',
    [{ type: 'alert', text: plain('Careful') }],
    'slack.md',
    'unsupported type: alert [json-pointer:/blocks/0/type]',
  ],
  [
    'a file input in a message',
    [input({ element: { type: 'file_input', action_id: 'file' } })],
    element('file-input'),
    'unsupported type: file_input [json-pointer:/blocks/0/element/type]',
  ],
  [
    'a label over 2,000 characters',
    [input({ label: plain('x'.repeat(2001)) })],
    block('input'),
    'must be less than 2001 characters [json-pointer:/blocks/0/label/text]',
  ],
  [
    'a table with over 100 rows',
    [{ type: 'table', rows: times(101, () => [cell('x')]) }],
    block('table'),
    'no more than 100 items allowed [json-pointer:/blocks/0/rows]',
  ],
  [
    'a table with over 20 columns',
    [{ type: 'table', rows: [times(21, () => cell('x'))] }],
    block('table'),
    'no more than 20 items allowed [json-pointer:/blocks/0/rows/0]',
  ],
  [
    'a table cell of an unknown type',
    [{ type: 'table', rows: [[mrkdwn('x')]] }],
    block('table'),
    'unsupported type: mrkdwn [json-pointer:/blocks/0/rows/0/0/type]',
  ],
  [
    'an empty table cell',
    [{ type: 'table', rows: [[cell('')]] }],
    block('table'),
    'must be more than 0 characters [json-pointer:/blocks/0/rows/0/0/text]',
  ],
  [
    'a data table with one row',
    [{ type: 'data_table', caption: 'x', rows: [[cell('x')]] }],
    'slack.md',
    'no less than 2 items allowed [json-pointer:/blocks/0/rows]',
  ],
  [
    'a container with over 10 children',
    [{ type: 'container', title: plain('x'), child_blocks: times(11, () => ({ type: 'divider' })) }],
    'slack.md',
    'no more than 10 items allowed [json-pointer:/blocks/0/child_blocks]',
  ],
  [
    'a container in a container',
    [
      {
        type: 'container',
        title: plain('x'),
        child_blocks: [{ type: 'container', title: plain('y'), child_blocks: [{ type: 'divider' }] }],
      },
    ],
    docs('block-kit/blocks/container-block'),
    'unsupported type: container [json-pointer:/blocks/0/child_blocks/0/type]',
  ],
  ['a plan without a title', [{ type: 'plan', tasks: [task()] }], block('plan'), 'missing required field: title [json-pointer:/blocks/0]'],
  [
    'a task without an id',
    [{ type: 'plan', title: 'x', tasks: [{ title: 'x' }] }],
    block('task-card'),
    'missing required field: task_id [json-pointer:/blocks/0/tasks/0]',
  ],
  [
    'a task without a title',
    [{ type: 'plan', title: 'x', tasks: [{ task_id: 'x' }] }],
    block('task-card'),
    'missing required field: title [json-pointer:/blocks/0/tasks/0]',
  ],
  [
    'a task with an unknown status',
    [{ type: 'plan', title: 'x', tasks: [task({ status: 'done' })] }],
    block('task-card'),
    'must be a valid enum value [json-pointer:/blocks/0/tasks/0/status]',
  ],
  [
    'a task id twice',
    [{ type: 'plan', title: 'x', tasks: [task(), task()] }],
    block('plan'),
    'task_id t1 already exists [json-pointer:/blocks/0/tasks/1/task_id]',
  ],
  [
    'task details that are plain text',
    [{ type: 'plan', title: 'x', tasks: [task({ details: 'x' })] }],
    block('task-card'),
    'must be an object [json-pointer:/blocks/0/tasks/0/details]',
  ],
  [
    'task details over 256 characters',
    [{ type: 'plan', title: 'x', tasks: [task({ details: rich('x'.repeat(257)) })] }],
    'slack.md',
    'must be less than 257 characters [json-pointer:/blocks/0/tasks/0/details]',
  ],
  [
    'task output in mrkdwn',
    [{ type: 'plan', title: 'x', tasks: [task({ output: mrkdwn('x') })] }],
    block('task-card'),
    'must be a valid enum value [json-pointer:/blocks/0/tasks/0/output/type]',
  ],
  [
    'rich text without sections',
    [{ type: 'rich_text', elements: [{ type: 'text', text: 'x' }] }],
    block('rich-text'),
    'unsupported type: text [json-pointer:/blocks/0/elements/0/type]',
  ],
  ['empty rich text', [rich('')], block('rich-text'), 'must be more than 0 characters [json-pointer:/blocks/0/elements/0/elements/0/text]'],
  [
    'a list with an unknown style',
    [{ type: 'rich_text', elements: [{ type: 'rich_text_list', style: 'roman', elements: [] }] }],
    block('rich-text'),
    'must be a valid enum value [json-pointer:/blocks/0/elements/0/style]',
  ],
  [
    'markdown over 12,000 characters',
    [{ type: 'markdown', text: 'x'.repeat(12_001) }],
    block('markdown'),
    'must be less than 12001 characters [json-pointer:/blocks/0/text]',
  ],
]

const messages: readonly Rule[] = [
  ...blocksOfMessages.map(([bad, blocks, source, message]): Rule => ({
    method: 'chat.postMessage',
    bad,
    error: 'invalid_blocks',
    source,
    args: { ...hello, blocks },
    message: `[ERROR] ${message}`,
  })),
  {
    method: 'chat.postMessage',
    bad: 'a plan in a workspace that does not have the block',
    error: 'invalid_blocks',
    source: 'slack.md',
    args: { ...hello, blocks: [{ type: 'plan', title: 'x', tasks: [task()] }] },
    seed: { planBlocks: false },
    message: '[ERROR] unsupported type: plan [json-pointer:/blocks/0/type]',
  },
  {
    method: 'chat.update',
    bad: 'section text over 3,000 characters',
    error: 'invalid_blocks',
    source: block('section'),
    args: ({ ts }) => ({ ...hello, ts, blocks: [section('x'.repeat(3001))] }),
  },
  {
    method: 'chat.postEphemeral',
    bad: 'an unknown block',
    error: 'invalid_blocks',
    source: docs('block-kit/blocks'),
    args: { ...hello, user: 'U0ALICE', blocks: [{ type: 'banner' }] },
  },
]

/** Bad modals: each is sent with views.open and refused with `invalid_arguments`. */
const modals: readonly (readonly [bad: string, view: object, message: string])[] = [
  [
    'a title over 24 characters',
    modal({ title: plain('x'.repeat(25)) }),
    'must be less than 25 characters [json-pointer:/view/title/text]',
  ],
  ['no title', { type: 'modal', blocks: [] }, 'missing required field: title [json-pointer:/view]'],
  [
    'a submit button over 24 characters',
    modal({ submit: plain('x'.repeat(25)) }),
    'must be less than 25 characters [json-pointer:/view/submit/text]',
  ],
  [
    'a close button over 24 characters',
    modal({ close: plain('x'.repeat(25)) }),
    'must be less than 25 characters [json-pointer:/view/close/text]',
  ],
  [
    'over 100 blocks',
    modal({ blocks: times(101, () => ({ type: 'divider' })) }),
    'no more than 100 items allowed [json-pointer:/view/blocks]',
  ],
  [
    'private_metadata over 3,000 characters',
    modal({ private_metadata: 'x'.repeat(3001) }),
    'must be less than 3001 characters [json-pointer:/view/private_metadata]',
  ],
  [
    'a callback_id over 255 characters',
    modal({ callback_id: 'x'.repeat(256) }),
    'must be less than 256 characters [json-pointer:/view/callback_id]',
  ],
  ['an input without a submit button', modal({ blocks: [input()] }), 'submit is required when an input block is used [json-pointer:/view]'],
  [
    'an input that may hold over 3,000 characters',
    modal({ submit: plain('Send'), blocks: [input({ element: { type: 'plain_text_input', action_id: 'why', max_length: 3001 } })] }),
    'must be between 1 and 3000 [json-pointer:/view/blocks/0/element/max_length]',
  ],
  [
    'a plan',
    modal({ blocks: [{ type: 'plan', title: 'x', tasks: [task()] }] }),
    'unsupported type: plan [json-pointer:/view/blocks/0/type]',
  ],
  ['an unknown property', modal({ size: 'large' }), 'invalid additional property: size [json-pointer:/view]'],
  ['a Home view', home(), 'must be a valid enum value [json-pointer:/view/type]'],
]

const views: readonly Rule[] = [
  ...modals.map(([bad, view, message]): Rule => ({
    method: 'views.open',
    bad,
    error: 'invalid_arguments',
    source: docs('views/modal-views'),
    args: ({ trigger }) => ({ trigger_id: trigger, view }),
    message: `[ERROR] ${message}`,
  })),
  {
    method: 'views.open',
    bad: 'no view',
    error: 'invalid_arguments',
    source: method('views.open'),
    args: ({ trigger }) => ({ trigger_id: trigger }),
    message: '[ERROR] missing required field: view',
  },
  {
    method: 'views.open',
    bad: 'an unknown trigger',
    error: 'invalid_trigger_id',
    source: method('views.open'),
    args: { trigger_id: '1.2.x', view: modal() },
  },
  {
    method: 'views.open',
    bad: 'a trigger older than 3 seconds',
    error: 'expired_trigger_id',
    source: method('views.open'),
    args: ({ expiredTrigger }) => ({ trigger_id: expiredTrigger, view: modal() }),
  },
  {
    method: 'views.open',
    bad: 'a trigger that was used',
    error: 'exchanged_trigger_id',
    source: method('views.open'),
    args: ({ usedTrigger }) => ({ trigger_id: usedTrigger, view: modal() }),
  },
  {
    method: 'views.open',
    bad: 'an external_id that is open already',
    error: 'duplicate_external_id',
    source: method('views.open'),
    args: ({ trigger }) => ({ trigger_id: trigger, view: modal({ external_id: 'taken' }) }),
  },
  {
    method: 'views.open',
    bad: 'a view over 250 kB',
    error: 'view_too_large',
    source: method('views.open'),
    args: ({ trigger }) => ({ trigger_id: trigger, view: modal({ blocks: times(90, () => section('x'.repeat(2_900))) }) }),
  },
  {
    method: 'views.push',
    bad: 'with a trigger from outside a modal',
    error: 'not_found',
    source: method('views.push'),
    args: ({ trigger }) => ({ trigger_id: trigger, view: modal() }),
  },
  {
    method: 'views.update',
    bad: 'a view that is not open',
    error: 'not_found',
    source: method('views.update'),
    args: { view_id: 'V0NONE', view: modal() },
  },
  {
    method: 'views.update',
    bad: 'neither view_id nor external_id',
    error: 'invalid_arguments',
    source: method('views.update'),
    args: { view: modal() },
  },
  {
    method: 'views.update',
    bad: 'with an older hash',
    error: 'hash_conflict',
    source: method('views.update'),
    args: ({ viewId }) => ({ view_id: viewId, hash: '1.old', view: modal() }),
  },
  {
    method: 'views.publish',
    bad: 'without a person',
    error: 'invalid_arguments',
    source: method('views.publish'),
    args: { view: home() },
    message: '[ERROR] missing required field: user_id',
  },
  {
    method: 'views.publish',
    bad: 'for somebody unknown',
    error: 'user_not_found',
    source: method('views.publish'),
    args: { user_id: 'U0NOBODY', view: home() },
  },
  {
    method: 'views.publish',
    bad: 'a modal',
    error: 'invalid_arguments',
    source: method('views.publish'),
    args: { user_id: 'U0ALICE', view: modal() },
  },
  {
    method: 'views.publish',
    bad: 'with an older hash',
    error: 'hash_conflict',
    source: method('views.publish'),
    args: { user_id: 'U0ALICE', hash: '1.old', view: home() },
  },
  {
    method: 'views.publish',
    bad: 'an alert on Home',
    error: 'invalid_arguments',
    source: 'slack.md',
    args: { user_id: 'U0ALICE', view: home({ blocks: [{ type: 'alert', text: plain('Careful') }] }) },
  },
]

const extras: readonly Rule[] = [
  {
    method: 'files.getUploadURLExternal',
    bad: 'no length',
    error: 'invalid_arguments',
    source: method('files.getUploadURLExternal'),
    args: { filename: 'run.log' },
    message: '[ERROR] missing required field: length',
  },
  {
    method: 'files.getUploadURLExternal',
    bad: 'an empty file',
    error: 'invalid_arguments',
    source: method('files.getUploadURLExternal'),
    args: { filename: 'run.log', length: 0 },
  },
  {
    method: 'files.completeUploadExternal',
    bad: 'a file that was never uploaded',
    error: 'file_not_found',
    source: method('files.completeUploadExternal'),
    args: { files: [{ id: 'F0NONE' }], channel_id: 'C0DEPLOYS' },
  },
  {
    method: 'files.completeUploadExternal',
    bad: 'a channel that the app is not in',
    error: 'not_in_channel',
    source: method('files.completeUploadExternal'),
    args: { files: [{ id: 'F0NONE' }], channel_id: 'C0GENERAL' },
  },
  { method: 'pins.add', bad: 'no message', error: 'no_item_specified', source: method('pins.add'), args: deploys },
  {
    method: 'pins.add',
    bad: 'a message that does not exist',
    error: 'message_not_found',
    source: method('pins.add'),
    args: { ...deploys, timestamp: '1.000001' },
  },
  {
    method: 'bookmarks.add',
    bad: 'an unknown type',
    error: 'invalid_bookmark_type',
    source: method('bookmarks.add'),
    args: { channel_id: 'C0DEPLOYS', title: 'Run', type: 'page' },
  },
  {
    method: 'bookmarks.add',
    bad: 'a link that is none',
    error: 'invalid_link',
    source: method('bookmarks.add'),
    args: { channel_id: 'C0DEPLOYS', title: 'Run', type: 'link', link: 'run 42' },
  },
]

export const rules: readonly Rule[] = [...access, ...places, ...texts, ...messages, ...views, ...extras]
