import type { Target } from '../../src/config/config.ts'
import { sayUnderstoodSpan } from '../../src/calendar/say.ts'
import type { Ask } from '../../src/request/request.ts'
import { listRequests } from '../../src/request/store.ts'
import type { Queries } from '../../src/store/pool.ts'
import { storeNow } from '../../src/store/now.ts'
import type { ApprovalDeps } from '../deps.ts'
import { rulesOf } from '../policy.ts'
import type { StartSlot } from '../start-slot.ts'
import { code, list, mentionApprover } from '../wording.ts'

type Asked = {
  readonly target: Target
  readonly ask: Pick<Ask, 'ref'>
  readonly askedIn: string | null
  readonly breakGlass?: boolean
}

/** What whoever asked for a request is told. */
export async function openedText(
  { command }: Pick<ApprovalDeps, 'command'>,
  db: Queries,
  asked: Asked,
  { id, slot }: { readonly id: number; readonly slot: StartSlot | null },
): Promise<string> {
  const { target, ask } = asked
  const what = `${code(ask.ref ?? target.source.branch)} to ${code(target.name)}`
  const takeBack = `To take it back: ${code(`${command} cancel ${id}`)}.`
  if (asked.breakGlass === true) {
    const elsewhere =
      asked.askedIn === null ? `, or read it here with ${code(`${command} break-glass ${id}`)} while Slack cannot be reached` : ''
    if (rulesOf(target, []).required === 0)
      return `#${id} is asked for with break-glass: ${what}. Its card appears in <#${target.channel}> while the plan is made; it starts by itself then, unless a migration is breaking. Where one is, read the plan there and press *Break the glass*${elsewhere}. ${takeBack}`
    return `#${id} is asked for with break-glass: ${what}. Nothing runs yet. Its card appears in <#${target.channel}> while the plan is made; read the plan there and press *Break the glass*${elsewhere}. ${takeBack}${await unreviewedText(db, target)}`
  }
  const queued =
    slot === null
      ? ''
      : `, queued for ${sayUnderstoodSpan({ from: slot.notBefore, to: slot.notAfter }, target.timezone, await storeNow(db))}: ${rulesOf(target, []).required === 0 ? 'it' : 'once approved it'} starts by itself then`
  return `#${id} is asked for: ${what}${queued}. Its card appears in <#${target.channel}> while the plan is made; ${whoApproves(target, slot !== null)}. ${takeBack}`
}

function whoApproves(target: Target, isQueued: boolean): string {
  const [usual, breaking] = [rulesOf(target, []), rulesOf(target, ['breaking'])]
  if (usual.required > 0) return `${list(usual.from.map(mentionApprover), 'or')} can approve it there`
  const unless = `unless a migration is breaking: that ${list(breaking.from.map(mentionApprover), 'or')} can approve there`
  if (isQueued) return `this target asks for no approval${breaking.required > 0 ? `, ${unless}` : ''}`
  return `it starts by itself then, ${breaking.required > 0 ? unless : 'since this target asks for no approval'}`
}

/** Whoever asked may press the button, and hears at once what is still open. */
async function unreviewedText(db: Queries, target: Target): Promise<string> {
  const unreviewed = await listRequests(db, { target: target.name, isUnreviewed: true, limit: 20 })
  return unreviewed.length === 0
    ? ''
    : ` *${list(unreviewed.map((one) => `#${one.id}`))} on this target ran the same way and ${unreviewed.length === 1 ? 'is' : 'are'} not reviewed yet.*`
}
