import type { SMTPServerOptions } from 'smtp-server'
import { afterEach, describe, expect, test } from 'vitest'
import { composeMail, createMailer } from '../../src/notifications/mail.ts'
import { smtpServer } from '../helpers/receivers.ts'

const closes: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closes.splice(0)) await close()
})

async function smtp(options: SMTPServerOptions = {}) {
  const server = await smtpServer(options)
  closes.push(server.close)
  return server
}

const outgoing = (payload: unknown, to = 'ops@example.com') => ({
  id: 'lk_0123',
  kind: 'mail' as const,
  destination: to,
  at: new Date('2026-12-01T07:00:00Z'),
  payloads: [payload],
})
const from = 'Lockkeeper <lockkeeper@shop.example>'
const never = new AbortController().signal

describe('e-mail', () => {
  test('arrives at a real server as plain text, with the time and the id that it has at each repetition', async () => {
    const { port, received } = await smtp()
    const mailer = await createMailer({ url: `smtp://127.0.0.1:${port}`, from })
    const mail = outgoing({
      subject: 'Maintenance of prod in 24 h',
      text: 'Maintenance of prod begins in 24 h.\n\nWhy: drop "legacy" columns',
    })
    expect([await mailer.send(mail, never), await mailer.send(mail, never)]).toEqual([{ kind: 'sent' }, { kind: 'sent' }])
    expect(received[1]).toEqual(received[0])
    expect(received[0]?.from).toBe('lockkeeper@shop.example')
    expect(received[0]?.to).toEqual(['ops@example.com'])
    expect(Object.fromEntries(received[0]?.headers ?? [])).toEqual({
      From: 'Lockkeeper <lockkeeper@shop.example>',
      To: 'ops@example.com',
      Subject: 'Maintenance of prod in 24 h',
      'Message-ID': '<lk_0123@shop.example>',
      Date: 'Tue, 01 Dec 2026 07:00:00 +0000',
      'Auto-Submitted': 'auto-generated',
      'Content-Transfer-Encoding': '7bit',
      'MIME-Version': '1.0',
      'Content-Type': 'text/plain; charset=utf-8',
    })
    expect(received[0]?.body).toBe('Maintenance of prod begins in 24 h.\r\n\r\nWhy: drop "legacy" columns\r\n')
    expect(await mailer.whyNot()).toBeNull()
  })

  test('a window goes along as an event for calendars', async () => {
    const { port, received } = await smtp()
    const mailer = await createMailer({ url: `smtp://127.0.0.1:${port}`, from })
    await mailer.send(outgoing({ subject: 's', text: 't', ics: 'BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n' }), never)
    expect(received[0]?.body).toContain('Content-Type: text/calendar; charset=utf-8; method=PUBLISH; name=window.ics')
    expect(received[0]?.body).toContain(Buffer.from('BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n').toString('base64'))
  })

  test('what people wrote becomes no header and no other recipient', async () => {
    const { port, received } = await smtp()
    const mailer = await createMailer({ url: `smtp://127.0.0.1:${port}`, from })
    const evil = 'late\r\nBcc: victim@example.com\r\nX-Evil: yes\r\n\r\n<script>'
    await mailer.send(outgoing({ subject: evil, text: `${evil}\r\n.\r\nMAIL FROM:<x@y.z>\u202e` }), never)
    expect(received).toHaveLength(1)
    expect(received[0]?.to).toEqual(['ops@example.com'])
    expect([...(received[0]?.headers.keys() ?? [])].filter((name) => /bcc|evil/i.test(name))).toEqual([])
    expect(received[0]?.headers.get('Subject')).toBe('late Bcc: victim@example.com X-Evil: yes <script>')
    expect(received[0]?.body).toBe('late\r\nBcc: victim@example.com\r\nX-Evil: yes\r\n\r\n<script>\r\n.\r\nMAIL FROM:<x@y.z>\r\n')
  })

  test('an address that the server does not know is given up, and a server that is busy is tried again', async () => {
    const { port } = await smtp({
      onRcptTo({ address }, _, done) {
        const code = address.startsWith('nobody') ? 550 : 450
        done(Object.assign(new Error(code === 550 ? 'no such user' : 'try later'), { responseCode: code }))
      },
    })
    const mailer = await createMailer({ url: `smtp://127.0.0.1:${port}`, from })
    const mail = { subject: 's', text: 't' }
    expect(await mailer.send(outgoing(mail, 'nobody@example.com'), never)).toEqual({
      kind: 'refused',
      why: "Can't send mail - all recipients were rejected: 550 no such user",
    })
    expect(await mailer.send(outgoing(mail, 'busy@example.com'), never)).toEqual({
      kind: 'failed',
      why: "Can't send mail - all recipients were rejected: 450 try later",
    })
  })

  test('TLS is as the URL says, and a certificate that nobody vouches for is refused unless it says so', async () => {
    const { port, received } = await smtp({ secure: true, disabledCommands: [] })
    const strict = await createMailer({ url: `smtps://127.0.0.1:${port}`, from })
    expect(await strict.send(outgoing({ subject: 's', text: 't' }), never)).toMatchObject({ kind: 'failed' })
    expect(received).toHaveLength(0)
    const lax = await createMailer({ url: `smtps://127.0.0.1:${port}/?tls.rejectUnauthorized=false`, from })
    expect(await lax.send(outgoing({ subject: 's', text: 't' }), never)).toEqual({ kind: 'sent' })
  })

  test('a wrong password and a server that is away are told by `check`', async () => {
    const { port } = await smtp({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: ({ password }, _, done) =>
        done(password === 'right' ? null : new Error('no'), password === 'right' ? { user: 'x' } : undefined),
    })
    const right = await createMailer({ url: `smtp://bot:right@127.0.0.1:${port}`, from })
    expect(await right.whyNot()).toBeNull()
    const wrong = await createMailer({ url: `smtp://bot:wrong@127.0.0.1:${port}`, from })
    expect(await wrong.whyNot()).toMatch(/^Invalid login: 535 /)
    const away = await createMailer({ url: 'smtp://127.0.0.1:1', from })
    expect(await away.whyNot()).toMatch(/ECONNREFUSED/)
  })

  test('a server that says nothing does not keep it beyond its time', async () => {
    const { port } = await smtp({ onConnect: () => {} })
    const mailer = await createMailer({ url: `smtp://127.0.0.1:${port}`, from })
    expect(await mailer.send(outgoing({ subject: 's', text: 't' }), AbortSignal.timeout(200))).toEqual({
      kind: 'failed',
      why: 'the server did not finish in time',
    })
  })
})

test('several notices become one mail that begins with a list of them', () => {
  const one = { subject: 'Maintenance of prod in 1 h', text: 'One.' }
  const two = { subject: 'Maintenance of staging\nin 1 h', text: 'Two.', ics: 'BEGIN:VCALENDAR' }
  expect(composeMail([one, two])).toEqual({
    subject: '2 notices of maintenance',
    text: `* Maintenance of prod in 1 h
* Maintenance of staging in 1 h

------------------------------------------------------------

One.

------------------------------------------------------------

Two.`,
    events: ['BEGIN:VCALENDAR'],
  })
  expect(composeMail([{ subject: 'x'.repeat(1_000), text: '' }]).subject).toHaveLength(150)
})
