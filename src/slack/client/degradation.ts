import type { Log } from '../../lib/log.ts'
import { withoutPlan, withoutTable } from '../limits/fallback.ts'
import { fit } from '../limits/limits.ts'
import type { Block, Message, Sent } from '../port.ts'

/** What a workspace or its plan does not offer: the bot goes on without it. */

/** Errors that say that the workspace, the plan or the token does not offer a method: the bot goes on without it. */
export const missingCapability: ReadonlySet<string> = new Set([
  'unknown_method',
  'missing_scope',
  'plan_upgrade_required',
  'not_allowed_token_type',
  'method_deprecated',
])

/** Blocks that this workspace does not know yet are replaced by sections; what it refused once is not tried again. */
export function degradation(log: Log) {
  const forms: readonly { readonly name: string; readonly of: (blocks: readonly Block[]) => readonly Block[] }[] = [
    { name: 'all blocks', of: (blocks) => blocks },
    { name: 'no plan blocks', of: withoutPlan },
    { name: 'neither plan nor table blocks', of: (blocks) => withoutTable(withoutPlan(blocks)) },
  ]
  let known = 0
  return async <T>(message: Message, send: (fitted: Message) => Promise<Sent<T>>): Promise<Sent<T>> => {
    let sent: Sent<T> = { kind: 'refused', error: 'invalid_blocks' }
    let before: string | undefined
    for (let level = known; level < forms.length; level++) {
      const form = forms[level]
      if (form === undefined) break
      const fitted = fit(message.blocks === undefined ? message : { text: message.text, blocks: form.of(message.blocks) })
      const now = JSON.stringify(fitted)
      if (now === before) continue
      before = now
      sent = await send(fitted)
      if (sent.kind !== 'refused' || !['invalid_blocks', 'invalid_blocks_format'].includes(sent.error)) {
        if (sent.kind === 'ok' && level > known) {
          known = level
          log.warn({ uses: form.name }, 'This workspace refuses some kinds of blocks; messages are drawn without them from now on')
        }
        return sent
      }
    }
    return sent
  }
}

/** One line a capability, however often it is missed. */
export function capabilities(log: Log) {
  const told = new Set<string>()
  return async <T>(name: string, consequence: string, work: () => Promise<Sent<T>>): Promise<Sent<T>> => {
    const sent = await work()
    if (sent.kind === 'refused' && missingCapability.has(sent.error) && !told.has(name)) {
      told.add(name)
      log.warn({ capability: name, error: sent.error }, `Slack does not offer ${name} to this bot: ${consequence}`)
    }
    if (sent.kind === 'ok') told.delete(name)
    return sent
  }
}
