import type { Asker } from '../parse/channel-scope.ts'
import { writeAudit } from '../../src/audit/write.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import { button, context, modal, section, textInput } from '../../src/slack/blocks/blocks.ts'
import type { View } from '../../src/slack/port.ts'
import { itemsOf, phases, tickItem, type ChecklistItem } from '../../src/windows/checklist.ts'
import type { WindowRow } from '../../src/windows/window.ts'
import { changeWindow, lockWindow, windowByToken } from '../../src/windows/store.ts'
import { saySpan } from '../../src/calendar/say.ts'
import type { FormValues } from '../forms/values.ts'
import type { Reply } from '../verbs/reply.ts'
import { change, standBy } from './verbs.ts'
import { auditOf, targetsOf, whyNotManageHere, type WindowDeps } from './deps.ts'
import type { WindowCommand } from '../parse/window.ts'
import { itemText } from './replies.ts'

/** The buttons of an announcement and what they open. */

export const WINDOW_RESCHEDULE = 'window_reschedule'
export const WINDOW_CANCEL = 'window_cancel'

export type Pressed = { readonly action: string; readonly value: string; readonly asker: Asker }

/** `done`: it stands in the channel. `view`: a window to open, or to show instead of the one that is open. */
export type Outcome = { readonly kind: 'done' } | { readonly kind: 'view'; readonly view: View } | Refusal

export async function pressWindow(deps: WindowDeps, pressed: Pressed): Promise<Outcome> {
  const [token = '', item, wish] = pressed.value.split('.', 3)
  const window = await windowByToken(deps.db, token)
  const outcome =
    window === undefined ? unknownButton : await outcomeOf(deps, window, pressed, { id: Number(item), isDone: wish !== 'open' })
  const { account, entry } = pressed.asker
  await writeAudit(deps.db, {
    actor: account,
    human: deps.people.humanOf(account),
    entry,
    act: `press ${pressed.action.slice(0, 40)}`,
    target: window?.targets[0] ?? null,
    result: isRefusal(outcome) ? outcome.code : outcome.kind === 'view' ? 'opened' : 'done',
    ...(window === undefined ? {} : { data: auditOf(window) }),
  })
  return outcome
}

async function outcomeOf(deps: WindowDeps, window: WindowRow, { action, asker }: Pressed, item: Wish): Promise<Outcome> {
  switch (action) {
    case 'window_standby':
      return asOutcome(await withActor(deps, asker, (actor) => standBy(deps, window.id, actor, asker)))
    case 'window_reschedule':
      return window.state === 'scheduled' ? { kind: 'view', view: rescheduleView(window, asker) } : notAhead(window)
    case 'window_cancel':
      return window.state === 'scheduled' ? { kind: 'view', view: cancelView(window, asker) } : notAhead(window)
    case 'window_extend':
      return asOutcome(
        await withActor(deps, asker, (actor) => change(deps, { verb: 'extend', id: window.id, words: ['30m'] }, actor, asker)),
      )
    case 'window_complete':
      return asOutcome(await withActor(deps, asker, (actor) => change(deps, { verb: 'complete', id: window.id }, actor, asker)))
    case 'window_checklist':
      return { kind: 'view', view: await checklistView(deps, window) }
    case 'window_tick':
      return tick(deps, window, item, asker)
    default:
      return unknownButton
  }
}

async function withActor(
  deps: WindowDeps,
  asker: Asker,
  act: (actor: { account: string; human: string }) => Promise<Reply>,
): Promise<Reply> {
  const actor = await deps.people.identify(asker.account, { fresh: true })
  return isRefusal(actor) ? actor : act(actor)
}

const asOutcome = (reply: Reply): Outcome => (isRefusal(reply) ? reply : { kind: 'done' })

/** What the button said when it was pressed: somebody else may have been faster, and then it is so already. */
type Wish = { readonly id: number; readonly isDone: boolean }

/** Its owner may tick an item, and whoever may change the window. */
async function tick(deps: WindowDeps, window: WindowRow, { id, isDone }: Wish, asker: Asker): Promise<Outcome> {
  const actor = await deps.people.identify(asker.account, { fresh: true })
  if (isRefusal(actor)) return actor
  const item = (await itemsOf(deps.db, [window.id])).find((one) => one.id === id)
  if (item === undefined) return unknownButton
  if (item.owner === null || deps.people.humanOf(item.owner) !== actor.human) {
    const targets = targetsOf(deps, window.targets)
    const unfit = isRefusal(targets) ? targets : await whyNotManageHere(deps, targets, actor, { ...asker, origin: null })
    if (unfit !== undefined) return unfit
  }
  const by = isDone ? actor.account : null
  await deps.db.transaction(async (tx) => {
    if ((await lockWindow(tx, window.id)) === undefined || !(await tickItem(tx, { windowId: window.id, id, by }))) return
    await changeWindow(tx, window.id, {})
    await writeAudit(tx, {
      actor: actor.account,
      human: actor.human,
      entry: asker.entry,
      act: 'maintenance',
      target: window.targets[0] ?? null,
      result: by === null ? 'item open again' : 'item done',
      data: { ...auditOf(window), item: item.text },
    })
    await asker.answer?.(tx, { kind: 'done', text: '' })
  })
  return { kind: 'view', view: await checklistView(deps, window) }
}

async function checklistView(deps: WindowDeps, window: WindowRow): Promise<View> {
  const items = await itemsOf(deps.db, [window.id])
  return modal({
    callback: 'told',
    title: `Checklist of #${window.id}`.slice(0, 24),
    close: 'Close',
    blocks: [
      ...phases.flatMap((phase) => {
        const own = items.filter((item) => item.phase === phase)
        return own.length === 0 ? [] : [section(`*${phaseTitles[phase]}*`), ...own.map((item) => itemBlock(window, item))]
      }),
      context('Its owner ticks an item, or whoever may change the window.'),
    ],
  })
}

const phaseTitles = { 'T-48h': '48 hours before', 'T-1h': '1 hour before', during: 'While it lasts', 'T+2h': '2 hours after' } as const

const itemBlock = (window: WindowRow, item: ChecklistItem) =>
  section(
    `${item.doneBy === null ? '☐' : '☑'} ${itemText(item)}`,
    button(
      item.doneBy === null ? 'Done' : 'Open again',
      'window_tick',
      `${window.token}.${item.id}.${item.doneBy === null ? 'done' : 'open'}`,
    ),
  )

const metadataOf = (window: WindowRow, { origin }: Asker): string => JSON.stringify({ token: window.token, channel: origin?.channel ?? '' })

const spanText = (window: WindowRow): string => saySpan({ from: window.startsAt.getTime(), to: window.endsAt.getTime() }, window.timezone)

const rescheduleView = (window: WindowRow, asker: Asker): View =>
  modal({
    callback: WINDOW_RESCHEDULE,
    title: `Move window #${window.id}`.slice(0, 24),
    submit: 'Move it',
    close: 'Back',
    metadata: metadataOf(window, asker),
    blocks: [
      section(`Now ${spanText(window)}.`),
      textInput({ id: 'when', label: 'When', placeholder: 'Wed 02:00', maximum: 200 }),
      textInput({ id: 'length', label: 'How long', optional: true, placeholder: 'as before', maximum: 40 }),
      context('Everybody who was told is told of the new time, once. What was still to be announced is withdrawn.'),
    ],
  })

const cancelView = (window: WindowRow, asker: Asker): View =>
  modal({
    callback: WINDOW_CANCEL,
    title: `Cancel #${window.id}`.slice(0, 24),
    submit: 'Cancel it',
    close: 'Keep it',
    metadata: metadataOf(window, asker),
    blocks: [
      section(`The window ${spanText(window)}.`),
      textInput({ id: 'reason', label: 'Why', optional: true, multiline: true, maximum: 500 }),
      context('Everybody who was told of it is told, once.'),
    ],
  })

/** What a submitted window asks for, as a command. */
export async function readWindowView(
  deps: WindowDeps,
  callback: string,
  metadata: string,
  values: FormValues,
): Promise<{ readonly command: WindowCommand; readonly channel: string } | Refusal> {
  const { token, channel } = shownIn(metadata)
  const window = await windowByToken(deps.db, token)
  if (window === undefined) return unknownButton
  const text = (id: string) => values[id]?.[id]?.value?.trim().replace(/\s+/gu, ' ') ?? ''
  if (callback === WINDOW_CANCEL) return { channel, command: { verb: 'cancel', id: window.id, reason: text('reason') || null } }
  return {
    channel,
    command: { verb: 'reschedule', id: window.id, words: [text('when'), ...(text('length') === '' ? [] : [text('length')])] },
  }
}

function shownIn(metadata: string): { readonly token: string; readonly channel: string } {
  try {
    const { token, channel } = JSON.parse(metadata) as { readonly token?: unknown; readonly channel?: unknown }
    if (typeof token === 'string' && typeof channel === 'string' && /^[CDG][A-Z0-9]+$/.test(channel)) return { token, channel }
  } catch {
    // not ours
  }
  return { token: '', channel: '' }
}

const unknownButton = refuse(
  'stale_button',
  'This button belongs to no window that Lockkeeper knows. Nothing was changed. Use the buttons of the newest announcement in the channel.',
)

const notAhead = (window: WindowRow): Refusal =>
  refuse(
    'window_closed',
    `Window #${window.id} is not ahead any more, so it can neither be moved nor cancelled. Nothing was changed. One that is under way has buttons to extend and to complete it.`,
  )
