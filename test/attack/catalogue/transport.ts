import { gzipSync } from 'node:zlib'
import { SILENT, type Post } from './arena.ts'
import type { Row } from './row.ts'

const post = (how?: Post): Row['run'] => {
  return (arena) => arena.post(how)
}

const form = (fields: Readonly<Record<string, string>>) => new URLSearchParams(fields).toString()
const deep = (depth: number) => `{"type":"block_actions","team":${'['.repeat(depth)}${']'.repeat(depth)}}`
const LARGE = 1_000_001

const refused = (row: string, attack: string, status: string, run: Row['run']): Row => ({
  row,
  entry: 'HTTP',
  attack,
  run,
  told: status,
  audit: null,
})

/** What is sent to the HTTP port. None of it may be believed, written down or asked about in the store. */
export const transportRows: readonly Row[] = [
  refused('no signature', 'no signature', '401', post({ without: ['x-slack-signature'] })),
  refused('no signature', 'no time', '401', post({ without: ['x-slack-request-timestamp'] })),
  refused(
    'no signature',
    'the handshake that sets up a request URL, unsigned',
    '401',
    post({ body: '{"type":"url_verification","challenge":"x"}', type: 'application/json', without: ['x-slack-signature'] }),
  ),
  refused('wrong signature', 'signed with another secret', '401', post({ secret: 'another-signing-secret' })),
  refused('wrong signature', 'signed with an empty secret', '401', post({ secret: '' })),
  refused(
    'wrong signature',
    'other bytes than those that were signed',
    '401',
    post({ instead: form({ command: '/migrate', text: 'deploy prod' }) }),
  ),
  refused(
    'wrong signature',
    'the time is changed after signing',
    '401',
    post({
      timestamp: String(Math.floor(Date.now() / 1000) - 10),
      signature: (right) => right.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
    }),
  ),
  refused('old (301 s)', 'signed 301 s ago', '401', post({ age: 301 })),
  refused('future (301 s)', 'signed for 302 s from now', '401', post({ age: -302 })),
  refused('malformed signature', 'another version', '401', post({ signature: (right) => right.replace('v0', 'v1') })),
  refused('malformed signature', 'in capitals', '401', post({ signature: (right) => right.toUpperCase() })),
  refused('malformed signature', 'cut short', '401', post({ signature: (right) => right.slice(0, -2) })),
  refused('malformed signature', 'followed by a second one after a comma', '401', post({ signature: (right) => `${right}, ${right}` })),
  refused('malformed signature', 'a time that is no number', '401', post({ timestamp: '1e9' })),
  refused('malformed signature', 'a time with a sign', '401', post({ timestamp: `+${Math.floor(Date.now() / 1000)}` })),
  refused(
    'duplicated headers',
    'two signatures, the right one last',
    '401',
    post({ signature: () => `v0=${'0'.repeat(64)}`, more: [['x-slack-signature', 'v0=1']] }),
  ),
  refused('duplicated headers', 'two times', '401', post({ more: [['X-Slack-Request-Timestamp', String(Math.floor(Date.now() / 1000))]] })),
  refused('duplicated headers', 'two content types', '415', post({ more: [['content-type', 'application/json']] })),
  refused('duplicated headers', 'two lengths', '400', post({ more: [['content-length', '5']] })),
  refused('duplicated headers', 'a length and chunks (request smuggling)', '400', post({ more: [['transfer-encoding', 'chunked']] })),
  refused(
    '`ssl_check` with a payload',
    'unsigned, with a command',
    '401',
    post({ body: form({ ssl_check: '1', command: '/migrate', text: 'deploy prod' }), without: ['x-slack-signature'] }),
  ),
  refused(
    '`ssl_check` with a payload',
    'signed with another secret',
    '401',
    post({ body: form({ ssl_check: '1' }), secret: 'another-signing-secret' }),
  ),
  refused(
    '`ssl_check` with a payload',
    'signed, with a command',
    '400',
    post({ body: form({ ssl_check: '1', command: '/migrate', text: 'deploy prod' }) }),
  ),
  refused(
    '`ssl_check` with a payload',
    'signed, with an interaction',
    '400',
    post({ body: form({ ssl_check: '1', payload: '{"type":"block_actions"}' }) }),
  ),
  refused('body over 1 MB', 'announced', '413', post({ body: Buffer.alloc(LARGE, 0x20) })),
  refused('body over 1 MB', 'in chunks, unannounced', '413', post({ body: Buffer.alloc(LARGE, 0x20), chunked: true })),
  refused('body over 1 MB', 'packed', '415', post({ body: gzipSync(Buffer.alloc(LARGE)), more: [['content-encoding', 'gzip']] })),
  refused('JSON depth bombs', 'an interaction 65 levels deep', '400', post({ body: form({ payload: deep(65) }) })),
  refused('JSON depth bombs', 'an interaction 400,000 levels deep', '400', post({ body: `payload=${deep(400_000)}` })),
  refused('JSON depth bombs', 'an event 100,000 levels deep', '400', post({ body: deep(100_000), type: 'application/json' })),
  refused(
    '`__proto__`',
    'in an interaction',
    '400',
    post({ body: form({ payload: '{"type":"block_actions","__proto__":{"isAdmin":true}}' }) }),
  ),
  refused(
    '`__proto__`',
    'written with escapes, inside an event',
    '400',
    post({ body: '{"type":"event_callback","event":{"\\u005f_proto__":{}}}', type: 'application/json' }),
  ),
  refused('`__proto__`', 'as a field of a form', '400', post({ body: form({ command: '/migrate', __proto: '1', 'a[__proto__]': '1' }) })),
  refused(
    'the same bytes in two content types',
    'an event that is called a form, with an interaction in its text',
    '400',
    post({ body: '{"type":"event_callback","event":{"text":"&payload=%7B%22type%22%3A%22block_actions%22%7D&"}}' }),
  ),
  refused(
    'the same bytes in two content types',
    'an interaction that is called JSON',
    '400',
    post({ body: '{"type":"block_actions"}', type: 'application/json' }),
  ),
  refused('the same bytes in two content types', 'a command that is called JSON', '400', post({ type: 'application/json' })),
  refused(
    'the same bytes in two content types',
    'a content type that Slack does not use',
    '415',
    post({ type: 'multipart/form-data; boundary=x' }),
  ),
  refused(
    'the same bytes in two content types',
    'text in another encoding',
    '415',
    post({ type: 'application/x-www-form-urlencoded; charset=utf-16' }),
  ),
  refused(
    'two meanings in one body',
    '`payload` and `command`',
    '400',
    post({ body: form({ command: '/migrate', text: 'help', payload: '{"type":"block_actions"}' }) }),
  ),
  refused(
    'two meanings in one body',
    'two payloads',
    '400',
    post({ body: 'payload=%7B%22type%22%3A%22block_actions%22%7D&payload=%7B%7D' }),
  ),
  refused('two meanings in one body', 'two texts', '400', post({ body: 'command=%2Fmigrate&text=help&text=deploy+prod' })),
  refused(
    'two meanings in one body',
    'an event as the payload of a form',
    '400',
    post({ body: form({ payload: '{"type":"event_callback","event":{}}' }) }),
  ),
  refused('two meanings in one body', 'neither a command nor an interaction', '400', post({ body: 'text=deploy+prod' })),
  refused('two meanings in one body', 'a list as payload', '400', post({ body: form({ payload: '[1]' }) })),
  refused('two meanings in one body', 'nothing at all', '400', post({ body: '' })),
  refused(
    'two meanings in one body',
    'bytes that are no UTF-8',
    '400',
    post({ body: Buffer.from('command=/migrate&text=\xff\xfe', 'latin1') }),
  ),
  refused('another address', 'another path', '404', post({ path: '/slack/events/../admin' })),
  refused('another address', 'another method', '404', post({ method: 'PUT' })),
  refused('another address', 'an address that is none', '400', post({ path: '//' })),
  refused('header smuggling', 'a header that is folded into two lines', '400', post({ more: [['x-folded', 'a\r\n b']] })),
  refused('header smuggling', 'a line feed alone ends a header', '400', (arena) => arena.raw('POST /slack/events HTTP/1.1\nhost: x\n\n')),
  refused('header smuggling', 'a space before the colon', '400', post({ more: [['content-length ', '0']] })),
  refused('header smuggling', 'headers of 100 KB', '431', post({ more: [['x-long', 'a'.repeat(100_000)]] })),
  refused('pipelining', 'two unsigned requests in one packet: each is refused', '401 and 401', (arena) =>
    arena.raw(
      ['keep-alive', 'close']
        .map((how) => `POST /slack/events HTTP/1.1\r\nhost: x\r\nconnection: ${how}\r\ncontent-length: 0\r\n\r\n`)
        .join(''),
    ),
  ),
  {
    row: 'replay',
    entry: 'HTTP',
    attack: 'the same signed bytes a second time',
    async run(arena) {
      const body = form({
        command: '/migrate',
        text: 'help',
        team_id: 'T0HARBOR',
        api_app_id: 'A0LOCKKEEP',
        user_id: 'U0ERIN',
        channel_id: 'C0DEPLOYS',
        channel_name: 'deploys',
        trigger_id: `9.${Date.now()}`,
        response_url: arena.flow.slack.responseUrl('U0ERIN', 'C0DEPLOYS'),
      })
      const heard = arena.hearing(body)
      const timestamp = String(Math.floor(Date.now() / 1000))
      await arena.post({ body, timestamp })
      const first = await heard()
      if (!first.includes('Lockkeeper takes database migrations')) throw new Error(`the first one was answered with ${first}`)
      return (await arena.post({ body, timestamp })).replace(/^200$/, `200 ${SILENT}`)
    },
    told: `200 ${SILENT}`,
    audit: null,
  },
]
