import { escapeText } from '../../src/lib/text/escape.ts'
import type { Origin } from '../parse/channel-scope.ts'
import { code } from '../../approvals/wording.ts'
import type { Target } from '../../src/config/config.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import { context, modal, section, selectInput, textInput } from '../../src/slack/blocks/blocks.ts'
import type { View } from '../../src/slack/port.ts'
import { durationText } from '../../src/lib/text/text.ts'
import { sayUnderstoodSpan, typedTime } from '../../src/calendar/say.ts'
import { readLength, readWhen } from '../../src/calendar/when.ts'
import { originOf } from './deploy.ts'
import { errorOf, type FormValues } from './values.ts'
import { initialOf, isUnchosen, readingsOf, timeField, timeIn, timeInputs, type Filled } from './readings.ts'
import { checkReason, LONGEST_REASON, type KnownHere, type WindowCommand } from '../parse/window.ts'

/** The form behind a bare `/maintenance`, and the page that shows what was understood before anything is announced. */

export const WINDOW_FORM = 'window_form'
export const WINDOW_CONFIRM = 'window_confirm'

const MOST_CHOICES = 100

export function windowForm(targets: readonly Target[], origin: Origin, filled: Filled | null = null): View {
  const [only] = targets
  const initial = (id: string) => initialOf(filled, id)
  return modal({
    callback: WINDOW_FORM,
    title: 'Plan maintenance',
    submit: 'Next',
    close: 'Not now',
    metadata: JSON.stringify(origin),
    blocks: [
      selectInput({
        id: 'target',
        label: 'Target',
        choices: targets.slice(0, MOST_CHOICES).map((target) => ({
          value: target.name,
          label: (target.title === target.name ? target.name : `${target.title} (${target.name})`).slice(0, 75),
        })),
        ...(targets.length === 1 && only !== undefined ? { initial: only.name } : {}),
        ...(filled === null ? {} : { initial: filled.values['target']?.['target']?.selected_option?.value ?? '' }),
      }),
      ...timeInputs({ id: 'when', label: 'When', placeholder: 'Tue 02:00, or 2026-12-01 02:00 America/New_York' }, filled),
      textInput({ id: 'length', label: 'How long', placeholder: '2h', maximum: 40, ...initial('length') }),
      textInput({
        id: 'reason',
        label: 'Reason',
        multiline: true,
        placeholder: 'What changes, and what people will notice',
        maximum: LONGEST_REASON,
        ...initial('reason'),
      }),
      textInput({
        id: 'work',
        label: 'What runs',
        optional: true,
        placeholder: 'The migrations and steps',
        maximum: 500,
        ...initial('work'),
      }),
      context('A time without a zone is in the zone of the target. The next page shows what was understood.'),
    ],
  })
}

/** What the second page carries. */
type Understood = {
  /** Named as forms that people have open already name it. */
  readonly place: Origin
  readonly target: string
  readonly startsAt: number
  readonly length: number
  readonly reason: string
  readonly work: string | null
}

/** All faults at once, each under its field; or the page that shows what was understood. */
export function readWindowForm(
  values: FormValues,
  metadata: string,
  context: { readonly targets: ReadonlyMap<string, Target>; readonly known: KnownHere; readonly now: number },
):
  | { readonly kind: 'errors'; readonly errors: Readonly<Record<string, string>> }
  | { readonly kind: 'view'; readonly view: View }
  /** Its time has several readings, and nothing else is wrong with it. */
  | { readonly kind: 'unclear'; readonly origin: Origin; readonly filled: Filled; readonly text: string }
  | Refusal {
  const origin = originOf(metadata)
  const target = context.targets.get(values['target']?.['target']?.selected_option?.value ?? '')
  if (origin === undefined || target === undefined) return formUnknown
  const text = (id: string) => values[id]?.[id]?.value?.trim() ?? ''
  const when = isUnchosen(values, 'when')
    ? refuse('bad_arguments', 'Choose one of the times above, or write another one.')
    : readWhen(timeIn(values, 'when') ?? '', { now: context.now, zone: target.timezone })
  const length = readLength(text('length'))
  const reason = checkReason(text('reason').replace(/\s+/gu, ' '), context.known)
  const readings = readingsOf(when)
  if (isRefusal(when) && readings !== null && !isRefusal(length) && !isRefusal(reason))
    return { kind: 'unclear', origin, filled: { values, readings }, text: when.text }
  if (isRefusal(when) || isRefusal(length) || isRefusal(reason))
    return {
      kind: 'errors',
      errors: { ...errorOf(timeField(values, 'when'), when), ...errorOf('length', length), ...errorOf('reason', reason) },
    }
  const work = text('work').replace(/\s+/gu, ' ')
  return {
    kind: 'view',
    view: confirmView(
      { place: origin, target: target.name, startsAt: when.at, length, reason, work: work === '' ? null : work },
      target,
      context.now,
    ),
  }
}

function confirmView(understood: Understood, target: Target, now: number): View {
  const { startsAt, length, reason, work } = understood
  return modal({
    callback: WINDOW_CONFIRM,
    title: 'Plan maintenance',
    submit: 'Announce it',
    close: 'Back',
    metadata: JSON.stringify(understood),
    blocks: [
      section(
        [
          `*${sayUnderstoodSpan({ from: startsAt, to: startsAt + length }, target.timezone, now)}*, for ${durationText(length)}`,
          `Maintenance of *${escapeText(target.title)}*: ${escapeText(reason)}`,
          ...(work === null ? [] : [`What runs: ${escapeText(work)}`]),
        ].join('\n'),
      ),
      context(`It is announced in <#${target.channel}> at once, and opens and ends by itself.`),
    ],
  })
}

/** What was shown, as it would be typed; everything about it is checked again. */
export function readConfirmed(
  metadata: string,
): { readonly command: Extract<WindowCommand, { verb: 'schedule' }>; readonly origin: Origin } | Refusal {
  const understood = understoodIn(metadata)
  if (understood === undefined) return formUnknown
  const { place, target, startsAt, length, reason, work } = understood
  const words = [`${typedTime(startsAt, 'UTC')} UTC`, `${Math.round(length / 1000)}s`, reason]
  return { origin: place, command: { verb: 'schedule', targets: [target], words, work, name: null } }
}

function understoodIn(metadata: string): Understood | undefined {
  try {
    const { place, target, startsAt, length, reason, work } = JSON.parse(metadata) as Partial<Record<keyof Understood, unknown>>
    const origin = originOf(JSON.stringify(place))
    if (origin === undefined || typeof target !== 'string' || typeof startsAt !== 'number' || typeof length !== 'number') return undefined
    if (typeof reason !== 'string' || (work !== null && typeof work !== 'string')) return undefined
    return { place: origin, target, startsAt, length, reason, work }
  } catch {
    return undefined // not JSON
  }
}

const formUnknown = refuse('stale_button', 'This form is from an older Lockkeeper. Nothing was changed. Open it again.')

export const formNotOpened = ({ command, targets }: KnownHere): Refusal =>
  refuse(
    'stale_button',
    `The form could not be opened. Nothing was changed. Type it instead: ${code(`${command} schedule ${targets[0] ?? 'prod'} "Tue 02:00" 2h "why"`, 120)}`,
  )
