import { groupsIn, managersOf, mayAsk } from '../../approvals/policy.ts'
import type { Actor, People } from '../../approvals/people.ts'
import { code, list, mentionApprover } from '../../approvals/wording.ts'
import type { Target } from '../../src/config/config.ts'
import type { ConfigFile } from '../../src/config/schema.ts'
import type { Db } from '../../src/store/pool.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import type { SlackPort } from '../../src/slack/port.ts'
import type { WindowRow } from '../../src/windows/window.ts'
import { whyNotHere, type Asker } from '../parse/channel-scope.ts'

export type MaintenanceDeps = {
  readonly db: Db
  readonly targets: ReadonlyMap<string, Target>
  readonly people: People
  readonly freezes: ConfigFile['freezes']
  /** As it is typed: `/maintenance`, or `lockkeeper maintenance` on the command line. */
  readonly maintenance: string
  readonly onFault: (error: unknown) => void
}

export type MaintenanceSlack = { readonly slack: Pick<SlackPort, 'openView' | 'updateView' | 'ephemeral'> }

/** Whether this person may schedule and change windows of these targets, here. */
export async function whyNotManage(
  deps: MaintenanceDeps,
  targets: readonly Target[],
  actor: Actor,
  asker: Asker,
): Promise<Refusal | undefined> {
  for (const target of targets) {
    const elsewhere = whyNotHere(target, asker)
    if (elsewhere !== undefined) return elsewhere
    const from = managersOf(target)
    const members = await deps.people.membersOf(groupsIn(from ?? []), { fresh: true })
    const may = mayAsk(from, members, deps.people.humanOf, actor.human)
    if (may === 'yes') continue
    const who = list((from ?? []).map(mentionApprover), 'or')
    return may === 'no'
      ? refuse(
          'not_allowed_to_schedule',
          `Windows of ${code(target.name)} are scheduled and changed by ${who} only. Nothing was changed. Ask one of them.`,
        )
      : refuse(
          'identity_unknown',
          `Windows of ${code(target.name)} are changed by ${who} only, and Slack does not say now who that is. Nothing was changed. Try again in a minute.`,
        )
  }
  return undefined
}

type Targets = readonly [Target, ...Target[]]

/** The targets of a window; one may have left the configuration since. */
export function targetsOf(deps: MaintenanceDeps, names: readonly string[]): Targets | Refusal {
  const found = names.map(
    (name) => deps.targets.get(name) ?? refuse('unknown_target', `${code(name)} is not in lockkeeper.yaml any more. Nothing was changed.`),
  )
  const missing = found.find(isRefusal)
  if (missing !== undefined) return missing
  const [first, ...rest] = found.filter((one): one is Target => !isRefusal(one))
  return first === undefined ? refuse('unknown_target', 'This window has no target. Nothing was changed.') : [first, ...rest]
}

export const noWindow = (deps: Pick<MaintenanceDeps, 'maintenance'>, id: number): Refusal =>
  refuse('unknown_window', `There is no window #${id}. ${code(`${deps.maintenance} list`)} lists those that are ahead.`)

export const knownHere = (deps: MaintenanceDeps) => ({ targets: [...deps.targets.keys()], command: deps.maintenance })

export const auditOf = (window: Pick<WindowRow, 'id'>) => ({ window: window.id })
