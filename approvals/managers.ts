import type { Target } from '../src/config/config.ts'
import { refuse, type Refusal } from '../src/lib/refusal.ts'
import type { ApprovalDeps } from './deps.ts'
import { groupsIn, managersOf, mayAsk } from './policy.ts'
import { code, list, mentionApprover } from './wording.ts'

/**
 * Why a human may not schedule and change windows of a target, nor freeze and lock it; undefined when he may: `windows.manage`, else
 * `requests.from`, else every full member. Groups are asked of Slack. `what` is what the sentence speaks of.
 */
export async function whyNotManage(
  deps: Pick<ApprovalDeps, 'people'>,
  target: Target,
  human: string,
  what: keyof typeof sentences,
): Promise<Refusal | undefined> {
  const from = managersOf(target)
  const members = await deps.people.membersOf(groupsIn(from ?? []), { fresh: true })
  const who = list((from ?? []).map(mentionApprover), 'or')
  switch (mayAsk(from, members, deps.people.humanOf, human)) {
    case 'yes':
      return undefined
    case 'no':
      return refuse('not_allowed_to_schedule', sentences[what].no(code(target.name), who))
    case 'unknown':
      return refuse('identity_unknown', sentences[what].unknown(code(target.name), who))
  }
}

const sentences = {
  windows: {
    no: (target: string, who: string) =>
      `Windows of ${target} are scheduled and changed by ${who} only. Nothing was changed. Ask one of them.`,
    unknown: (target: string, who: string) =>
      `Windows of ${target} are changed by ${who} only, and Slack does not say now who that is. Nothing was changed. Try again in a minute.`,
  },
  freezes: {
    no: (target: string, who: string) =>
      `Windows, freezes and locks of ${target} are set and lifted by ${who} only. Nothing was changed. Ask one of them.`,
    unknown: (target: string, who: string) =>
      `Windows, freezes and locks of ${target} are set and lifted by ${who} only, and Slack does not say now who that is. What cannot be checked is refused; nothing was changed. Try again in a minute.`,
  },
} as const
