import type { Clock } from '../lib/clock.ts'
import type { Config } from '../config/config.ts'
import type { Lane, Outgoing, Sending } from './deliveries.ts'
import { createMailer, type Mailer } from './mail.ts'
import { postSigned } from './webhook.ts'

const MAILS_AT_ONCE = 4
const POSTS_AT_ONCE = 2

/** What may be told where, by the configuration. A row that names anything else is not followed. */
export function createSender(ports: { readonly config: Config; readonly clock: Clock }): {
  readonly lanes: readonly Lane[]
  readonly send: (outgoing: Outgoing, signal: AbortSignal) => Promise<Sending>
} {
  const { config, clock } = ports
  const { mail } = config.file
  const hooks = webhooksOf(config)
  let mailer: Promise<Mailer> | undefined
  return {
    lanes: [
      ...(mail === undefined ? [] : [{ kind: 'mail', destination: null, atOnce: MAILS_AT_ONCE } as const]),
      ...hooks.map(({ kind, url }) => ({ kind, destination: url, atOnce: POSTS_AT_ONCE })),
    ],
    async send(outgoing, signal) {
      if (outgoing.kind === 'mail') {
        if (mail === undefined) return { kind: 'failed', why: 'no mail server is configured (mail in lockkeeper.yaml)' }
        mailer ??= createMailer({ url: config.secret(mail.url), from: mail.from })
        return (await mailer).send(outgoing, signal)
      }
      const hook = hooks.find(({ kind, url }) => kind === outgoing.kind && url === outgoing.destination)
      if (hook === undefined) return { kind: 'failed', why: `${outgoing.destination} is no longer configured` }
      return postSigned({
        url: config.secret(hook.url),
        id: outgoing.id,
        body: bodyOf(outgoing),
        secrets: hook.secrets.map(config.secret),
        now: clock.now(),
        signal,
      })
    },
  }
}

/** References, not values: where events and pages go, each with what signs it. Two targets may name one receiver. */
export function webhooksOf(
  config: Pick<Config, 'file' | 'targets'>,
): readonly { readonly kind: 'webhook' | 'page'; readonly url: string; readonly secrets: readonly string[] }[] {
  const named = [...config.targets.values()].flatMap(({ windows }) => windows.webhooks)
  const urls = [...new Set(named.map(({ url }) => url))]
  const { oncall } = config.file
  return [
    ...urls.map((url) => ({
      kind: 'webhook' as const,
      url,
      secrets: [...new Set(named.filter((one) => one.url === url).map(({ secret }) => secret))],
    })),
    ...(oncall === undefined
      ? []
      : [{ kind: 'page' as const, url: oncall.webhook, secrets: oncall.secret === undefined ? [] : [oncall.secret] }]),
  ]
}

/** The payload of an event: `type`, and `data` whose shape it names. */
export type EventPayload = { readonly type: string; readonly data: unknown }

function bodyOf({ at, payloads }: Outgoing): string {
  const payload = payloads[0]
  const { type, data }: Partial<EventPayload> = typeof payload === 'object' && payload !== null ? payload : {}
  return JSON.stringify({ type, timestamp: at.toISOString(), data })
}
