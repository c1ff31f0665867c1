import { escapeText } from '../../src/lib/text/escape.ts'
import { code, list, mention } from '../../approvals/wording.ts'
import { queuedRuns } from '../../src/request/queued.ts'
import type { ChecklistItem } from '../../src/windows/checklist.ts'
import { itemsOf, phases } from '../../src/windows/checklist.ts'
import type { WindowRow } from '../../src/windows/window.ts'
import { listWindows, windowById } from '../../src/windows/store.ts'
import { saySpan } from '../../src/calendar/say.ts'
import { notesText } from '../../src/windows/render/words.ts'
import { say, type Reply } from '../verbs/reply.ts'
import { notInDirect, whyNotHere, type Asker } from '../parse/channel-scope.ts'
import { knownHere, noWindow, type WindowDeps } from './deps.ts'
import { exampleOf, windowVerbs, usageOf, type WindowVerb } from '../parse/window.ts'

const SHOWN = 20

/** Those that are ahead or under way, of targets that may be spoken of here. */
export async function listAhead(deps: WindowDeps, target: string | null, asker: Asker): Promise<Reply> {
  if (asker.origin?.isDirect === true) return notInDirect
  const windows = (
    await listWindows(deps.db, { states: ['scheduled', 'open'], limit: 200, ...(target === null ? {} : { targets: [target] }) })
  ).filter((window) => isShownHere(deps, window, asker))
  if (windows.length === 0)
    return say(
      `No maintenance${target === null ? '' : ` of ${code(target)}`} is planned. To plan one: ${code(exampleOf('schedule', knownHere(deps, target === null ? [] : [target])), 120)}`,
    )
  const more = windows.length - SHOWN
  return say(
    [
      '*Maintenance ahead*',
      ...windows.slice(0, SHOWN).map((window) => `• ${lineOf(window)}`),
      ...(more > 0 ? [`and ${more} more`] : []),
      `Details: ${code(`${deps.maintenance} show ${windows[0]?.id ?? 1}`)}`,
    ].join('\n'),
  )
}

const lineOf = (window: WindowRow): string =>
  `#${window.id}${nameOf(window)} ${list(window.targets.map((target) => code(target)))} ${saySpan(spanOf(window), window.timezone)}${window.state === 'open' ? ' · *under way*' : ''} · ${escapeText(window.reason)}`

const nameOf = ({ name }: WindowRow): string => (name === null ? '' : ` (${code(name)})`)

const spanOf = (window: WindowRow) => ({ from: window.startsAt.getTime(), to: window.endsAt.getTime() })

const isShownHere = (deps: WindowDeps, window: WindowRow, asker: Asker): boolean =>
  window.targets.every((name) => {
    const target = deps.targets.get(name)
    return target === undefined || whyNotHere(target, asker) === undefined
  })

const words = { scheduled: 'scheduled', open: 'under way', completed: 'done', cancelled: 'cancelled' } as const

export async function showWindow(deps: WindowDeps, id: number, asker: Asker): Promise<Reply> {
  const window = await windowById(deps.db, id)
  if (window === undefined || !isShownHere(deps, window, asker)) return noWindow(deps, id)
  return say(
    [
      `*Window #${window.id}*${nameOf(window)} of ${list(window.targets.map((target) => code(target)))}: ${words[window.state]}`,
      saySpan(spanOf(window), window.timezone),
      `Why: ${escapeText(window.reason)}`,
      ...(window.work === null ? [] : [`What runs: ${escapeText(window.work)}`]),
      ...(await queuedFor(deps, id)),
      `Owner ${mention(window.owner)}${window.standby === null ? '' : ` · ${mention(window.standby)} stands by`}`,
      ...(window.outcome === null ? [] : [notesText(window.outcome)]),
      ...checklistLines(await itemsOf(deps.db, [id])),
    ].join('\n'),
  )
}

async function queuedFor({ db }: WindowDeps, id: number): Promise<readonly string[]> {
  const queued = await queuedRuns(db, { window: id })
  return queued.length === 0 ? [] : [`Queued for it: ${list(queued.map((one) => `#${one.id} on ${code(one.target)}`))}`]
}

export async function showChecklist(deps: WindowDeps, id: number, asker: Asker): Promise<Reply> {
  const window = await windowById(deps.db, id)
  if (window === undefined || !isShownHere(deps, window, asker)) return noWindow(deps, id)
  const items = await itemsOf(deps.db, [id])
  if (items.length === 0)
    return say(`Window #${id} has no checklist. Items stand under ${code('windows.checklist')} of its target in lockkeeper.yaml.`)
  return say(
    [`*Checklist of window #${id}*`, ...checklistLines(items), 'It is ticked with the button *Checklist* of the announcement.'].join('\n'),
  )
}

const checklistLines = (items: readonly ChecklistItem[]): readonly string[] =>
  phases.flatMap((phase) => items.filter((item) => item.phase === phase).map((item) => `• ${phase} · ${itemText(item)}`))

export const itemText = ({ text, owner, knows, doneBy }: ChecklistItem): string =>
  [
    escapeText(text),
    ...(owner === null ? [] : [mention(owner)]),
    doneBy === null
      ? knows === null || knows === 'rehearsal'
        ? 'open'
        : 'open; Lockkeeper ticks it by itself'
      : `done by ${doneBy === 'lockkeeper' ? 'Lockkeeper' : mention(doneBy)}`,
  ].join(' · ')

const does: Readonly<Record<WindowVerb, string>> = {
  schedule: 'plans a window and announces it; it opens and ends by itself',
  list: 'lists the windows that are ahead',
  show: 'shows one window',
  reschedule: 'moves a window; what was announced is withdrawn, once',
  start: 'opens it now',
  extend: 'makes one that is under way longer',
  complete: 'ends it now',
  cancel: 'takes it back before it starts',
  checklist: 'shows what is to be done, by whom, and what is done',
  help: 'says how each verb is typed',
}

export function help(deps: WindowDeps): Reply {
  const known = knownHere(deps)
  const isSlack = known.command.startsWith('/')
  return say(
    [
      '*Maintenance windows: everybody is told in time, and nobody twice.*',
      ...windowVerbs.map((verb) => `• ${code(`${known.command} ${usageOf[verb]}`, 120)} ${does[verb]}`),
      ...(isSlack ? [`• ${code(known.command)} alone opens a form`] : []),
      `For example: ${code(exampleOf('schedule', known), 120)}`,
    ].join('\n'),
  )
}
