import type { Config, Target } from '../../../src/config/config.ts'
import { readTargetState } from '../../../src/plan/make.ts'
import type { PlanDeps } from '../../../src/plan/deps.ts'
import { secretsOfUrl, SHORTEST_SECRET } from '../../../src/redact/redact.ts'
import { isRefusal } from '../../../src/lib/refusal.ts'
import type { SlackPort } from '../../../src/slack/port.ts'
import { withTarget } from '../../../src/database/connect.ts'
import { readRights } from '../../../src/database/rights.ts'
import { asPlainText } from '../../../approvals/wording.ts'
import { checkBackup } from './backup.ts'
import type { Checked } from './checked.ts'
import { checkNotifications } from './notifications.ts'

export type CheckDeps = {
  readonly config: Config
  readonly plan: PlanDeps
  /** Undefined when no bot token is set. */
  readonly slack: Pick<SlackPort, 'authTest' | 'channel' | 'groupMembers'> | undefined
  /** What is wrong with the tokens, one sentence each. */
  readonly environment: readonly string[]
  /** Connects to the store and says which one it is; throws when it cannot. */
  readonly reachStore: () => Promise<string>
}

const neededScopes = [
  'commands',
  'chat:write',
  'users:read',
  'files:write',
  'channels:read',
  'groups:read',
  'channels:history',
  'groups:history',
  'im:write',
]

/** Everything works without it, but for this. */
const IM_HISTORY = 'im:history'

/** Looks at everything that a run would need and says what it found. Nothing is changed anywhere. */
export async function check(deps: CheckDeps): Promise<readonly Checked[]> {
  const parts = await Promise.all([checkStore(deps), withSlack(deps), withTargets(deps), checkNotifications(deps.config)])
  return [...checkSecrets(deps), ...parts.flat()]
}

export const withTargets = async (deps: Pick<CheckDeps, 'config' | 'plan'>): Promise<readonly Checked[]> =>
  (await Promise.all([...deps.config.targets.values()].flatMap((target) => [checkTarget(deps, target), checkBackup(deps, target)]))).flat()

/** One line each, faults last so that they stand right above the prompt. */
export function checkText(checked: readonly Checked[]): string {
  const order = { good: 0, note: 1, bad: 2 } as const
  const words = { good: 'ok  ', note: 'note', bad: 'FAIL' } as const
  const lines = checked
    .toSorted((a, b) => order[a.level] - order[b.level])
    .map(({ level, what, text }) => `${words[level]}  ${what}: ${text}`)
  const bad = checked.filter(({ level }) => level === 'bad').length
  return [
    ...lines,
    '',
    bad === 0
      ? 'Everything that a run needs is there.'
      : `${bad} ${bad === 1 ? 'thing has' : 'things have'} to be mended before a run can work.`,
  ].join('\n')
}

/** What is too short would blank out ordinary words, so the redactor leaves it alone. */
function checkSecrets({ config }: CheckDeps): readonly Checked[] {
  return [...config.targets.values()].flatMap((target): readonly Checked[] => {
    const secrets = [target.database.url, target.backup.url].flatMap((reference) =>
      reference === undefined ? [] : secretsOfUrl(config.secret(reference)),
    )
    if (!secrets.some((secret) => secret.length < SHORTEST_SECRET)) return []
    const text = `its password has fewer than ${SHORTEST_SECRET} characters, so it cannot be hidden in output and messages. Choose a longer one.`
    return [{ level: 'note', what: target.name, text }]
  })
}

async function checkStore(deps: CheckDeps): Promise<Checked[]> {
  try {
    return [{ level: 'good', what: 'store', text: await deps.reachStore() }]
  } catch (error) {
    return [
      {
        level: 'bad',
        what: 'store',
        text: deps.plan.redactor.text((error as Error).message.trim()),
      },
    ]
  }
}

export async function withSlack({ config, slack, environment }: Omit<CheckDeps, 'reachStore' | 'plan'>): Promise<readonly Checked[]> {
  const missing = environment.map((text): Checked => ({ level: 'bad', what: 'Slack', text }))
  if (slack === undefined) return missing
  const auth = await slack.authTest()
  if (auth.kind !== 'ok')
    return [
      ...missing,
      {
        level: 'bad',
        what: 'Slack',
        text:
          auth.kind === 'refused'
            ? `it refuses the token (${auth.error}). Copy the bot token (xoxb-…) again.`
            : 'it does not answer. Check the network and SLACK_API_URL.',
      },
    ]
  const { teamName, scopes } = auth.value
  const lacking = neededScopes.filter((scope) => !scopes.includes(scope))
  const channels = [...new Set([...config.targets.values()].flatMap((target) => [target.channel, ...(target.askIn ?? [])]))]
  const groups = [
    ...new Set(
      [...config.targets.values()].flatMap((target) => [
        ...target.approvals.from,
        ...(target.requests.from ?? []),
        ...breakGlassGroups(target),
      ]),
    ),
  ].filter((one) => one.startsWith('group:'))
  return [
    ...missing,
    { level: 'good', what: 'Slack', text: `connected to the workspace ${teamName}` },
    ...(lacking.length === 0 || scopes.length === 0
      ? []
      : [
          {
            level: 'bad',
            what: 'Slack',
            text: `the token lacks ${lacking.join(', ')}. Add them under OAuth & Permissions (manifest.yml has all) and install the app again.`,
          } as const,
        ]),
    ...(scopes.length === 0 || scopes.includes(IM_HISTORY)
      ? []
      : [
          {
            level: 'note',
            what: 'Slack',
            text: `without ${IM_HISTORY} a direct message whose reply was lost is posted again and may stand twice. Add it under OAuth & Permissions and install the app again.`,
          } as const,
        ]),
    ...(await Promise.all(channels.map((id) => checkChannel(slack, id)))),
    ...(await Promise.all(groups.map((group) => checkGroup(slack, group.slice('group:'.length))))),
  ]
}

const breakGlassGroups = ({ breakGlass }: Target): readonly string[] => [...(breakGlass?.from ?? []), ...(breakGlass?.review ?? [])]

async function checkChannel(slack: Pick<SlackPort, 'channel'>, id: string): Promise<Checked> {
  const found = await slack.channel(id)
  if (found.kind !== 'ok')
    return {
      level: 'bad',
      what: `channel ${id}`,
      text:
        found.kind === 'refused' ? `Slack says ${found.error}. If it is private, type /invite @lockkeeper in it.` : 'Slack did not answer.',
    }
  const { name, isMember, isArchived } = found.value
  if (isArchived) return { level: 'bad', what: `channel #${name}`, text: 'is archived. Name another one, or unarchive it.' }
  if (!isMember) return { level: 'bad', what: `channel #${name}`, text: 'Lockkeeper is not in it. Type /invite @lockkeeper there.' }
  return { level: 'good', what: `channel #${name}`, text: 'Lockkeeper can post there' }
}

async function checkGroup(slack: Pick<SlackPort, 'groupMembers'>, group: string): Promise<Checked> {
  const members = await slack.groupMembers(group)
  if (members.kind === 'ok')
    return {
      level: members.value.length === 0 ? 'bad' : 'good',
      what: `group ${group}`,
      text: members.value.length === 0 ? 'has no members, so nobody of it could approve.' : `${members.value.length} members`,
    }
  return {
    level: 'bad',
    what: `group ${group}`,
    text: `cannot be read (${members.kind === 'refused' ? members.error : 'no answer'}), so nobody of it may approve. ${groupRemedy(members.kind === 'refused' ? members.error : '')}`,
  }
}

function groupRemedy(error: string): string {
  if (error === 'missing_scope') return 'Add usergroups:read under OAuth & Permissions and install the app again.'
  if (/paid|plan_upgrade/.test(error)) return 'Groups need a paid plan; name people with user:U… instead.'
  return 'Copy its id again from the group in Slack, or name people with user:U… instead.'
}

async function checkTarget({ plan }: Pick<CheckDeps, 'plan'>, target: Target): Promise<Checked[]> {
  const what = target.name
  try {
    const read = await readTargetState(plan, target, null)
    if (isRefusal(read)) return [{ level: 'bad', what, text: asPlainText(read.text) }]
    const { identity } = read.facts
    const { applied, pending, failed } = read.status
    const found: Checked = {
      level: failed.length > 0 ? 'note' : 'good',
      what,
      text: `${identity.database} on ${identity.host}:${identity.port}, ${applied.length} applied, ${pending.length} pending${failed.length > 0 ? `, ${failed.length} failed` : ''}; ${target.source.branch} is at ${read.source.resolved.commit.slice(0, 7)}`,
    }
    return [found, ...(await checkRights(plan, target))]
  } catch (error) {
    return [{ level: 'bad', what, text: plan.redactor.text((error as Error).message) }]
  }
}

async function checkRights(plan: PlanDeps, target: Target): Promise<Checked[]> {
  const rights = await withTarget({ url: plan.secret(target.database.url), applicationName: 'lockkeeper check' }, (client, url) =>
    readRights(client, url.schema),
  )
  const lacks = [
    ...(rights.readAllStats ? [] : ['pg_read_all_stats (who blocks a migration stays unknown)']),
    ...(rights.signalBackend ? [] : ['pg_signal_backend (a session of another role cannot be ended)']),
  ]
  return lacks.length === 0 ? [] : [{ level: 'note', what: target.name, text: `the role lacks ${lacks.join(' and ')}` }]
}
