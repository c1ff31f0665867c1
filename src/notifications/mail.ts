import { plainText } from '../lib/text/escape.ts'
import type { Outgoing, Sending } from './deliveries.ts'

/** The payload of a delivery by e-mail. */
export type MailPayload = {
  readonly subject: string
  readonly text: string
  /** The window as an event for calendars. */
  readonly ics?: string
}

export type MailSettings = { readonly url: string; readonly from: string }

export type Mailer = {
  readonly send: (outgoing: Outgoing, signal: AbortSignal) => Promise<Sending>
  /** Connects and logs in, and sends nothing; null when that works. */
  readonly whyNot: () => Promise<string | null>
}

/** A server that says nothing for so long is tried again later. */
const SILENCE_MS = 15_000
const LONGEST_SUBJECT = 150

/**
 * Plain text through one SMTP server. TLS is as the URL says: `smtps://` from the beginning, `smtp://` by STARTTLS where the server has it.
 * A password leaves this machine only over TLS, unless the URL itself says otherwise.
 */
export async function createMailer(settings: MailSettings): Promise<Mailer> {
  const { createTransport } = await import('nodemailer')
  const transport = createTransport({
    url: settings.url,
    ...(mustEncrypt(settings.url) ? { requireTLS: true } : {}),
    connectionTimeout: SILENCE_MS,
    greetingTimeout: SILENCE_MS,
    socketTimeout: SILENCE_MS,
    dnsTimeout: SILENCE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    async send({ id, destination, at, payloads }, signal) {
      const { subject, text, events } = composeMail(payloads.filter(isMail))
      try {
        await unlessAborted(
          transport.sendMail({
            from: settings.from,
            to: { name: '', address: destination },
            subject,
            text,
            date: at,
            messageId: `<${id}@${domainOf(settings.from)}>`,
            headers: { 'Auto-Submitted': 'auto-generated' },
            attachments: events.map((content, index) => ({
              filename: events.length === 1 ? 'window.ics' : `window-${index + 1}.ics`,
              content,
              contentType: 'text/calendar; charset=utf-8; method=PUBLISH',
            })),
          }),
          signal,
        )
        return { kind: 'sent' }
      } catch (error) {
        return { kind: isForGood(error) ? 'refused' : 'failed', why: (error as Error).message }
      }
    },
    whyNot: () =>
      transport.verify().then(
        () => null,
        (error: Error) => error.message,
      ),
  }
}

/** Several go as one, each whole, with a list of them as the subject. */
export function composeMail(payloads: readonly MailPayload[]): {
  readonly subject: string
  readonly text: string
  readonly events: readonly string[]
} {
  const events = payloads.flatMap(({ ics }) => (ics === undefined ? [] : [ics]))
  const [only] = payloads
  if (payloads.length === 1 && only !== undefined) return { subject: subjectLine(only.subject), text: plain(only.text), events }
  const contents = payloads.map(({ subject }) => `* ${subjectLine(subject)}`).join('\n')
  return {
    subject: `${payloads.length} notices of maintenance`,
    text: [contents, ...payloads.map(({ text }) => plain(text))].join(`\n\n${'-'.repeat(60)}\n\n`),
    events,
  }
}

/** One line without anything that could end it: what people wrote becomes no header. */
const subjectLine = (text: string): string => {
  const line = plainText(text).replace(/\s+/g, ' ').trim()
  return line.length <= LONGEST_SUBJECT
    ? line
    : `${Array.from(line)
        .slice(0, LONGEST_SUBJECT - 1)
        .join('')}…`
}

const plain = (text: string): string => plainText(text.replace(/\r\n?/g, '\n'))

const isMail = (payload: unknown): payload is MailPayload =>
  typeof payload === 'object' && payload !== null && 'subject' in payload && 'text' in payload

function mustEncrypt(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || url.protocol !== 'smtp:' || url.password === '') return false
  const isSaid = ['requireTLS', 'ignoreTLS', 'secure'].some((name) => url.searchParams.has(name))
  return !isSaid && !['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
}

const domainOf = (from: string): string => /@([A-Za-z0-9.-]+)>?\s*$/.exec(from)?.[1] ?? 'lockkeeper.invalid'

/** The server knows no such address. Everything else may pass. */
const isForGood = (error: unknown): boolean =>
  typeof error === 'object' &&
  error !== null &&
  (error as { command?: unknown }).command === 'RCPT TO' &&
  Number((error as { responseCode?: unknown }).responseCode) >= 500

async function unlessAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const abort = () => aborted.reject(new Error('the server did not finish in time'))
  signal.addEventListener('abort', abort, { once: true })
  try {
    await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
    work.catch(() => {}) // nobody waits for it any more
  }
}
