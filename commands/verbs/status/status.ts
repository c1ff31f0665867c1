import { timesOf, whyClosedNow, type Times } from '../../../approvals/gate.ts'
import { code, mention, nameOf, shown, stateSince } from '../../../approvals/wording.ts'
import { unreviewedLine } from '../break-glass.ts'
import type { Target } from '../../../src/config/config.ts'
import { isRefusal } from '../../../src/lib/refusal.ts'
import { endedStates } from '../../../src/request/request.ts'
import { activeRequest, listRequests } from '../../../src/request/store.ts'
import { calendarOf } from '../../../src/calendar/opening-hours.ts'
import type { FreezeRow } from '../../../src/windows/window.ts'
import { sayTime } from '../../../src/calendar/say.ts'
import type { Command } from '../../parse/command.ts'
import { say, type Reply, type RunnerShown, type TargetStatus, type VerbDeps } from '../reply.ts'
import { isRunner, ledgerLines, runnerFindings, runnerHeadline } from '../prisma8.ts'
import { notInDirect, targetsHere, whyNotHere, type Asker } from '../../parse/channel-scope.ts'
import { findTarget } from '../deploy.ts'
import { liveLine, recordLines, schemaLines } from './record.ts'

/** One target, or all that may be spoken of here. A target that cannot be read does not hide the others. */
export async function status(deps: VerbDeps, command: Extract<Command, { verb: 'status' }>, asker: Asker): Promise<Reply> {
  if (asker.origin?.isDirect === true) return notInDirect
  if (command.target !== null) {
    const target = findTarget(deps, command.target)
    if (isRefusal(target)) return target
    return whyNotHere(target, asker) ?? say([...(await noRun(deps)), await describe(deps, target, 'whole')].join('\n\n'))
  }
  const targets = targetsHere(deps, asker)
  if (targets.length === 0) return say('No target may be asked about in this channel. lockkeeper.yaml says for each where (`askIn`).')
  return say([...(await noRun(deps)), ...(await Promise.all(targets.map((target) => describe(deps, target, 'short'))))].join('\n\n'))
}

/** What holds up every target stands above all of them. */
async function noRun(deps: VerbDeps): Promise<readonly string[]> {
  const why = await deps.whyNoRun()
  return why === null ? [] : [`*No run starts now.* ${why.text}`]
}

async function describe(deps: VerbDeps, target: Target, length: 'short' | 'whole'): Promise<string> {
  const [read, live, schema, times, active, last, unreviewed] = await Promise.all([
    readSafely(deps, target),
    length === 'whole' ? liveLine(deps, target) : null,
    length === 'whole' ? schemaLines(deps, target) : [],
    timesOf(deps.freezes, deps.db, target),
    activeRequest(deps.db, target.name),
    listRequests(deps.db, { target: target.name, states: endedStates, limit: 1 }),
    listRequests(deps.db, { target: target.name, isUnreviewed: true, limit: 10 }),
  ])
  const ended = last[0]
  return [
    `${nameOf(target)}: ${typeof read === 'string' ? read : isRunner(read) ? runnerHeadline(read.status) : headline(read)}`,
    ...(typeof read === 'string' ? [] : isRunner(read) ? runnerFindings(read.status) : findings(read, deps.command, target.name)),
    ...(live === null ? [] : [live]),
    ...schema,
    ...closings(deps, times).map((one) => `• ${one}`),
    ...(active === undefined ? [] : [`• Under way: #${active.id}, ${stateSince(active)}`]),
    ...(ended === undefined ? ['• No run yet'] : [`• Last: #${ended.id}, ${stateSince(ended)}`]),
    ...unreviewed.map((request) => `• ${unreviewedLine(request)}`),
    ...(length === 'short' || typeof read === 'string'
      ? []
      : isRunner(read)
        ? ledgerLines(read.status.ledger, target.timezone)
        : recordLines(read.record, target)),
  ].join('\n')
}

/** What keeps runs from starting now: freezes and locks that people set, those of the configuration, and the hours. */
function closings({ command, freezes }: VerbDeps, times: Times): readonly string[] {
  const { target, now, frozenBy } = times
  const configured = calendarOf(target, freezes).freezes.flatMap((freeze) => freeze.spans(now, now + 1).map(({ to }) => ({ freeze, to })))
  const closed = whyClosedNow(times, command)
  return [
    ...frozenBy.map((one) => freezeLine(one, target, command)),
    ...configured.map(
      ({ freeze, to }) =>
        `*Frozen* until ${sayTime(to, target.timezone)} by lockkeeper.yaml, “${shown(freeze.name)}”: ${shown(freeze.reason)}. Nothing starts; it ends by itself.`,
    ),
    ...(closed === null ? [] : [`*Closed.* ${closed}`]),
  ]
}

/** `*Frozen* until … by <@U0ALICE>: “end of the quarter”.` */
function freezeLine(freeze: FreezeRow, target: Target, command: string): string {
  const until = freeze.until === null ? 'until somebody lifts it' : `until ${sayTime(freeze.until, target.timezone)}`
  const why = freeze.reason === '' ? '' : `, “${shown(freeze.reason)}”`
  const undo = code(`${command} un${freeze.kind} ${freeze.targets === null ? 'all' : target.name}`)
  return `*${freeze.kind === 'freeze' ? 'Frozen' : 'Locked'}* ${until} by ${mention(freeze.setBy)}${why}. Nothing starts; ${undo} ends it.`
}

async function readSafely(deps: VerbDeps, target: Target): Promise<TargetStatus | RunnerShown | string> {
  try {
    const read = await deps.readStatus(target)
    return isRefusal(read) ? read.text : read
  } catch (error) {
    deps.onFault(error)
    return 'could not be read; the log of Lockkeeper says why. Nothing was changed.'
  }
}

function headline(read: TargetStatus): string {
  if (read.baseline === 'missing') return 'the database has tables but no record of migrations, so it needs a baseline first.'
  const pending = read.pending.length === 0 ? 'nothing pending' : `${read.pending.length} pending`
  return `${read.applied.length} applied, ${pending}.`
}

function findings(read: TargetStatus, command: string, target: string): readonly string[] {
  const again = new Set(read.rolledBack.map(({ name }) => name)) // part of what is pending; each is named once
  const deploy = code(`${command} deploy ${target}`)
  return [
    ...line(
      'Pending',
      read.pending.filter(({ name }) => !again.has(name)),
      `To run them: ${deploy}.`,
    ),
    ...line('Running', read.running, 'Somebody holds the lock of the migrator.'),
    ...line('Failed', read.failed, 'No other migration runs until it is resolved.'),
    ...line('Rolled back', read.rolledBack, `Pending again; it runs with the next deploy: ${deploy}.`),
    ...line('Edited after it was applied', read.edited, 'The file and the database disagree.'),
    ...line('Applied but not in the commit', read.unknown, 'Another branch may have been deployed.'),
  ]
}

const MOST_NAMES = 8

function line(title: string, names: readonly { readonly name: string }[], meaning: string): readonly string[] {
  if (names.length === 0) return []
  const more = names.length - MOST_NAMES
  return [
    `• ${title}: ${names
      .slice(0, MOST_NAMES)
      .map(({ name }) => code(name))
      .join(', ')}${more > 0 ? ` and ${more} more` : ''}. ${meaning}`,
  ]
}
