import type { Checked } from './checked.ts'
import type { Config } from '../../../src/config/config.ts'
import { createMailer } from '../../../src/notifications/mail.ts'
import { webhooksOf } from '../../../src/notifications/send.ts'
import { whyNotReachable } from '../../../src/notifications/webhook.ts'

/** Whether whoever is told outside of Slack could be told. Nothing is sent. */
export async function checkNotifications(config: Config): Promise<readonly Checked[]> {
  const { mail } = config.file
  const hooks = webhooksOf(config).map(({ kind, url }) => checkHook(config, kind, url))
  return [...(await Promise.all([...(mail === undefined ? [] : [checkMail(config, mail)]), ...hooks])), ...notesOf(config)]
}

/** What works and may still not be what was meant. */
function notesOf({ file, targets }: Config): readonly Checked[] {
  const { calendar, oncall } = file
  const open = [...targets.values()]
    .filter(
      ({ windows, requests }) =>
        (windows.override ?? windows.allow) !== undefined && windows.manage === undefined && requests.from === undefined,
    )
    .map(({ name }) => name)
  const attended = [...targets.values()].filter(({ windows }) => windows.standby).map(({ name }) => name)
  const notes = [
    ...(open.length === 0
      ? []
      : [
          {
            what: 'windows',
            text: `every full member may plan windows of ${open.join(', ')} and lift freezes there, and so open what its hours close. \`windows.manage\` says who may.`,
          },
        ]),
    ...(oncall?.people.length === 0
      ? [
          {
            what: 'on-call',
            text: 'pages go to the webhook and the channel only. `oncall.people` names who is also told by a direct message.',
          },
        ]
      : []),
    ...(oncall === undefined && attended.length > 0
      ? [
          {
            what: 'on-call',
            text: `somebody has to stand by for ${attended.join(', ')}, and nobody is paged when a run there needs a person. \`oncall\` says where pages go.`,
          },
        ]
      : []),
    ...(calendar !== undefined && calendar.token === undefined && !/^(127\.|localhost$|::1$)/.test(calendar.host)
      ? [
          {
            what: 'calendar',
            text: `whoever reaches ${calendar.host}:${calendar.port} reads the windows. \`calendar.token\` makes the address a secret.`,
          },
        ]
      : []),
  ]
  return notes.map((one) => ({ level: 'note', ...one }))
}

async function checkMail(config: Config, mail: NonNullable<Config['file']['mail']>): Promise<Checked> {
  const mailer = await createMailer({ url: config.secret(mail.url), from: mail.from })
  const why = await mailer.whyNot()
  return why === null
    ? { level: 'good', what: 'mail', text: `the server of ${mail.url} takes mail from ${mail.from}` }
    : { level: 'bad', what: 'mail', text: `the server of ${mail.url} takes none: ${why}. Correct \`mail.url\`, or start the server.` }
}

async function checkHook(config: Config, kind: 'webhook' | 'page', url: string): Promise<Checked> {
  const what = kind === 'page' ? 'on-call' : 'webhook'
  const why = await whyNotReachable(config.secret(url))
  return why === null
    ? { level: 'good', what, text: `something answers at ${url}` }
    : { level: 'bad', what, text: `nothing can be told at ${url}: ${why}. Correct the URL, or start the receiver.` }
}
