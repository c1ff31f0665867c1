import type { By } from '../../approvals/decisions/audit.ts'
import { code, list } from '../../approvals/wording.ts'
import type { Target } from '../../src/config/config.ts'
import { refuse, type Refusal } from '../../src/lib/refusal.ts'

export type Asker = By & {
  /** Where it was typed; null on the command line. */
  readonly origin: Origin | null
}

export type Origin = { readonly channel: string; readonly isDirect: boolean }

/** Whether a target may be spoken of where it was typed. On the command line there is no channel to restrict. */
export function whyNotHere(target: Target, asker: Pick<Asker, 'origin'>): Refusal | undefined {
  const { origin } = asker
  if (origin === null) return undefined
  if (origin.isDirect) return notInDirect
  if (target.askIn === undefined || target.askIn.includes(origin.channel) || target.channel === origin.channel) return undefined
  const channels = [...new Set([target.channel, ...target.askIn])].map((channel) => `<#${channel}>`)
  return refuse('wrong_channel', `${code(target.name)} may not be asked for here. Nothing was started. Type it in ${list(channels, 'or')}.`)
}

/** The targets that may be spoken of where it was typed. */
export const targetsHere = (
  { targets }: { readonly targets: ReadonlyMap<string, Target> },
  asker: Pick<Asker, 'origin'>,
): readonly Target[] => [...targets.values()].filter((target) => whyNotHere(target, asker) === undefined)

export const notInDirect: Refusal = refuse(
  'wrong_channel',
  'Requests are made where others can see them, not in a direct message. Nothing was started. Type it in a channel.',
)
