import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Queries } from '../store/pool.ts'
import { cardKey } from '../request/render/draw.ts'
import { missingCapability } from '../slack/client/degradation.ts'
import { messagesOf } from '../slack/outbox/messages.ts'
import type { Sent, SlackPort } from '../slack/port.ts'
import type { Bundle } from './bundle.ts'

export type Shared =
  /** In the thread of the request's card, which shows the SQL and the output already. */
  | { readonly kind: 'thread'; readonly link: string | null }
  /** To the one who asked: there is no card, or the bot may not write beside it any more. */
  | { readonly kind: 'direct' }
  /** This workspace lets the bot upload no files. */
  | { readonly kind: 'no_files' }
  /** Slack did not say whether they arrived. */
  | { readonly kind: 'unsure' }
  | { readonly kind: 'limited'; readonly seconds: number }
  | { readonly kind: 'refused'; readonly error: string }

export type SharePorts = { readonly db: Queries; readonly slack: Pick<SlackPort, 'upload' | 'openDirect' | 'permalink'> }

/** Uploads both files, the page first. `by` is a Slack account. */
export async function shareInSlack(ports: SharePorts, bundle: Bundle, by: string): Promise<Shared> {
  const card = (await messagesOf(ports.db, { table: 'request', id: bundle.requestId })).get(cardKey(bundle.requestId))
  if (card !== undefined && card.ts !== null) {
    const sent = await uploadBoth(ports, { channel: card.channel, thread: card.ts }, bundle, by)
    if (sent.kind === 'ok') {
      const link = await ports.slack.permalink({ channel: card.channel, ts: card.ts })
      return { kind: 'thread', link: link.kind === 'ok' ? link.value : null }
    }
    if (sent.kind !== 'refused' || missingCapability.has(sent.error)) return failure(sent)
  }
  const direct = await ports.slack.openDirect(by)
  if (direct.kind !== 'ok') return failure(direct)
  const sent = await uploadBoth(ports, { channel: direct.value }, bundle, by)
  return sent.kind === 'ok' ? { kind: 'direct' } : failure(sent)
}

async function uploadBoth(
  { slack }: SharePorts,
  where: { readonly channel: string; readonly thread?: string },
  { requestId, page, json }: Bundle,
  by: string,
): Promise<Sent<null>> {
  const comment = `Evidence of #${requestId}, exported by <@${by}>: the page to read, and the signed document.`
  const first = await slack.upload(where, { ...page, title: `Evidence of #${requestId}, page`, comment })
  return first.kind === 'ok' ? slack.upload(where, { ...json, title: `Evidence of #${requestId}, signed document` }) : first
}

function failure(sent: Exclude<Sent<unknown>, { kind: 'ok' }>): Shared {
  if (sent.kind === 'limited') return { kind: 'limited', seconds: Math.ceil(sent.retryAfterMs / 1000) }
  if (sent.kind === 'unsure') return { kind: 'unsure' }
  return missingCapability.has(sent.error) ? { kind: 'no_files' } : { kind: 'refused', error: sent.error }
}

/** Readable by their owner alone; never over a file that is there. Gives their paths. Throws what the file system says. */
export async function writeBundle(directory: string, { page, json }: Bundle): Promise<readonly [page: string, json: string]> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const write = async ({ name, content }: Bundle['page']) => {
    const path = resolve(join(directory, name))
    await writeFile(path, content, { flag: 'wx', mode: 0o600 })
    return path
  }
  return [await write(page), await write(json)]
}
