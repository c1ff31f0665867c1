import type { Config } from '../src/config/config.ts'
import { createMailer } from '../src/outside/mail.ts'
import { webhooksOf } from '../src/outside/send.ts'
import { whyNotReachable } from '../src/outside/webhook.ts'
import type { Checked } from './check.ts'

/** Whether whoever is told outside of Slack could be told. Nothing is sent. */
export async function checkOutside(config: Config): Promise<readonly Checked[]> {
  const { mail } = config.file
  const hooks = webhooksOf(config).map(({ kind, url }) => checkHook(config, kind, url))
  return Promise.all([...(mail === undefined ? [] : [checkMail(config, mail)]), ...hooks])
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
