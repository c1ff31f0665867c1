import { afterEach, beforeAll, afterAll, expect, test } from 'vitest'
import { checkNotifications } from '../../../commands/operator/check/notifications.ts'
import { smtpServer, webhookReceiver } from '../../helpers/receivers.ts'
import { configWith } from '../../notifications/config.ts'

let mail: Awaited<ReturnType<typeof smtpServer>>
let hook: Awaited<ReturnType<typeof webhookReceiver>>
let close = () => {}
beforeAll(async () => {
  ;[mail, hook] = await Promise.all([smtpServer(), webhookReceiver()])
})
afterAll(() => Promise.all([mail.close(), hook.close()]))
afterEach(() => close())

async function checked(...of: Parameters<typeof configWith>): Promise<readonly string[]> {
  const known = configWith(...of)
  close = known.close
  return (await checkNotifications(known.config)).map(({ level, what, text }) => `${level} ${what}: ${text}`)
}

test('who can be told outside of Slack is good, and nothing is sent', async () => {
  const settings = {
    mail: { url: 'env:MAIL', from: 'Lockkeeper <lockkeeper@shop.example>' },
    oncall: { webhook: 'env:PAGER', people: ['user:U0CAROL'] },
    calendar: { port: 0, token: 'env:TOKEN', host: '0.0.0.0' },
  }
  expect(
    await checked(
      settings,
      { MAIL: `smtp://127.0.0.1:${mail.port}`, PAGER: hook.url, TOKEN: 'feed-token' },
      { prod: { windows: { standby: true } } },
    ),
  ).toEqual([
    'good mail: the server of env:MAIL takes mail from Lockkeeper <lockkeeper@shop.example>',
    'good on-call: something answers at env:PAGER',
  ])
  expect([mail.received, hook.received.map(({ method, body }) => `${method} ${body}`)]).toEqual([[], ['HEAD ']])
})

test('what works and may not be what was meant is noted', async () => {
  expect(await checked({ oncall: { webhook: 'env:PAGER' }, calendar: { port: 8080, host: '0.0.0.0' } }, { PAGER: hook.url })).toEqual([
    'good on-call: something answers at env:PAGER',
    'note on-call: pages go to the webhook and the channel only. `oncall.people` names who is also told by a direct message.',
    'note calendar: whoever reaches 0.0.0.0:8080 reads the windows. `calendar.token` makes the address a secret.',
  ])
  expect(await checked({ calendar: { port: 8080 } }, {}, { staging: { windows: { standby: true } } })).toEqual([
    'note on-call: somebody has to stand by for staging, and nobody is paged when a run there needs a person. `oncall` says where pages go.',
  ])
})

test('hours that everybody could open are noted', async () => {
  expect(await checked({}, {}, { prod: { windows: { allow: 'Tue 02:00-04:00' } } })).toEqual([
    'note windows: every full member may plan windows of prod and lift freezes there, and so open what its hours close. `windows.manage` says who may.',
  ])
  expect(await checked({}, {}, { prod: { windows: { allow: 'Tue 02:00-04:00', manage: ['user:U0BOB'] } } })).toEqual([])
})

test('what does not answer is bad, with what to do', async () => {
  const [line] = await checked({ oncall: { webhook: 'env:PAGER', people: ['user:U0CAROL'] } }, { PAGER: 'http://127.0.0.1:9/page' })
  expect(line).toMatch(/^bad on-call: nothing can be told at env:PAGER: .*\. Correct the URL, or start the receiver\.$/)
})
