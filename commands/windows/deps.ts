import { whyNotManage } from '../../approvals/managers.ts'
import type { Actor, People } from '../../approvals/people.ts'
import { code } from '../../approvals/wording.ts'
import type { Target } from '../../src/config/config.ts'
import type { ConfigFile } from '../../src/config/schema.ts'
import type { Db } from '../../src/store/pool.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import type { SlackPort } from '../../src/slack/port.ts'
import type { WindowRow } from '../../src/windows/window.ts'
import { namedFirst } from '../parse/arguments.ts'
import { whyNotHere, type Asker } from '../parse/channel-scope.ts'

export type WindowDeps = {
  readonly db: Db
  readonly targets: ReadonlyMap<string, Target>
  readonly people: People
  readonly freezes: ConfigFile['freezes']
  /** As it is typed: `/maintenance`, or `lockkeeper maintenance` on the command line. */
  readonly maintenance: string
  readonly onFault: (error: unknown) => void
}

export type WindowSlack = { readonly slack: Pick<SlackPort, 'openView' | 'updateView'> }

/** Why this person may not schedule and change windows of these targets, here; undefined when he may. */
export async function whyNotManageHere(
  deps: WindowDeps,
  targets: readonly Target[],
  actor: Actor,
  asker: Asker,
): Promise<Refusal | undefined> {
  for (const target of targets) {
    const unfit = whyNotHere(target, asker) ?? (await whyNotManage(deps, target, actor.human, 'windows'))
    if (unfit !== undefined) return unfit
  }
  return undefined
}

type Targets = readonly [Target, ...Target[]]

/** The targets of a window; one may have left the configuration since. */
export function targetsOf(deps: WindowDeps, names: readonly string[]): Targets | Refusal {
  const found = names.map(
    (name) => deps.targets.get(name) ?? refuse('unknown_target', `${code(name)} is not in lockkeeper.yaml any more. Nothing was changed.`),
  )
  const missing = found.find(isRefusal)
  if (missing !== undefined) return missing
  const [first, ...rest] = found.filter((one): one is Target => !isRefusal(one))
  return first === undefined ? refuse('unknown_target', 'This window has no target. Nothing was changed.') : [first, ...rest]
}

export const noWindow = (deps: Pick<WindowDeps, 'maintenance'>, id: number): Refusal =>
  refuse('unknown_window', `There is no window #${id}. ${code(`${deps.maintenance} list`)} lists those that are ahead.`)

/** `named`: the targets that examples are about. */
export const knownHere = (deps: WindowDeps, named: readonly string[] = []) =>
  namedFirst({ targets: [...deps.targets.keys()], command: deps.maintenance }, named)

export const auditOf = (window: Pick<WindowRow, 'id'>) => ({ window: window.id })
