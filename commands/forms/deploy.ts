import type { Origin } from '../parse/channel-scope.ts'
import { whyNoReason } from '../../approvals/break-glass/decision.ts'
import { code } from '../../approvals/wording.ts'
import type { Target } from '../../src/config/config.ts'
import { isRefusal, refuse, type Refusal } from '../../src/lib/refusal.ts'
import { checkboxInput, context, modal, section, selectInput, textInput } from '../../src/slack/blocks/blocks.ts'
import type { View } from '../../src/slack/port.ts'
import { readWhen, type Unclear } from '../../src/calendar/when.ts'
import { checkReason, checkRef, checkTarget } from '../parse/arguments.ts'
import type { Command } from '../parse/command.ts'
import type { Known } from '../parse/usage.ts'
import { initialOf, isUnchosen, readingsOf, timeField, timeIn, timeInputs, type Filled } from './readings.ts'
import { errorOf, type FormValues } from './values.ts'

/** The form behind a bare command: the same request as `deploy`, for people who do not remember options. */

export const REQUEST_FORM = 'request_form'

const MOST_CHOICES = 100

export function requestForm(targets: readonly Target[], origin: Origin, filled: Filled | null = null): View {
  const [only] = targets
  const chosen = (filled?.values['options']?.['options']?.selected_options ?? []).flatMap(({ value }) => value ?? [])
  return modal({
    callback: REQUEST_FORM,
    title: 'Ask for a deploy',
    submit: 'Ask',
    close: 'Not now',
    // a view's id may change; where it was typed must not get lost
    metadata: JSON.stringify(origin),
    blocks: [
      section('Lockkeeper makes a plan, and nothing runs before others have approved it.'),
      selectInput({
        id: 'target',
        label: 'Target',
        choices: targets.slice(0, MOST_CHOICES).map((target) => ({ value: target.name, label: labelOf(target) })),
        ...(targets.length === 1 && only !== undefined ? { initial: only.name } : {}),
        ...(filled === null ? {} : { initial: filled.values['target']?.['target']?.selected_option?.value ?? '' }),
      }),
      textInput({
        id: 'ref',
        label: 'Branch, tag or commit',
        optional: true,
        placeholder: 'The branch of the target',
        maximum: 200,
        ...initialOf(filled, 'ref'),
      }),
      ...timeInputs(
        { id: 'start', label: 'Start', optional: true, placeholder: 'As soon as it is approved; or Tue 02:00; or window 7' },
        filled,
      ),
      textInput({
        id: 'reason',
        label: 'Reason',
        optional: true,
        multiline: true,
        placeholder: 'What it is for, and why now',
        maximum: 500,
        ...initialOf(filled, 'reason'),
      }),
      checkboxInput({
        id: 'options',
        label: 'Options',
        chosen,
        choices: [
          { value: 'skip-app', label: 'Only the database: leave the application as it is' },
          ...(targets.some((target) => target.breakGlass !== undefined)
            ? [{ value: 'break-glass', label: 'It cannot wait: break the glass, with the reason above' }]
            : []),
        ],
      }),
      context('Approvers see all of this on the card.'),
    ],
  })
}

export type FormFault =
  | { readonly kind: 'errors'; readonly errors: Readonly<Record<string, string>> }
  /** Its start has several readings, and nothing else is wrong with it. */
  | { readonly kind: 'unclear'; readonly filled: Filled; readonly text: string }

/** By what a time in the form is read; null when the store could not be asked: then it is read when the request is made. */
export type FormTimes = { readonly now: number; readonly targets: ReadonlyMap<string, Target> } | null

/** All faults at once, each under its field. */
export function readForm(values: FormValues, known: Known, times: FormTimes): Extract<Command, { verb: 'deploy' }> | FormFault {
  const ref = checkRef(textOf(values, 'ref'))
  const reason = checkReason(textOf(values, 'reason')?.replace(/\s+/gu, ' ') ?? null)
  const target = checkTarget(values['target']?.['target']?.selected_option?.value ?? undefined, 'deploy', known)
  const isChosen = (name: string) => (values['options']?.['options']?.selected_options ?? []).some((option) => option.value === name)
  const breakGlass = isChosen('break-glass')
  const why = breakGlass && !isRefusal(reason) ? whyNoReason(reason ?? '') : reason
  const start = isRefusal(target) ? {} : isUnchosen(values, 'start') ? noneChosen : readStart(timeIn(values, 'start'), target, times)
  const readings = readingsOf(start)
  if (isRefusal(start) && readings !== null && ![ref, why, reason, target].some(isRefusal))
    return { kind: 'unclear', filled: { values, readings }, text: start.text }
  if (isRefusal(ref) || isRefusal(why) || isRefusal(reason) || isRefusal(target) || isRefusal(start))
    return {
      kind: 'errors',
      errors: {
        ...errorOf('target', target),
        ...errorOf('ref', ref),
        ...errorOf(timeField(values, 'start'), start),
        ...errorOf('reason', why),
      },
    }
  return { verb: 'deploy', target, ref, reason, skipApp: isChosen('skip-app'), ...(breakGlass ? { breakGlass } : {}), ...start }
}

const noneChosen = refuse(
  'bad_arguments',
  'Choose one of the times above, or write another one. To start as soon as it is approved, write `now`.',
)

/** A time, or a maintenance window as `window 7` or `window nightly`. */
function readStart(
  text: string | null,
  target: string,
  times: FormTimes,
): Pick<Extract<Command, { verb: 'deploy' }>, 'at' | 'inWindow'> | Refusal | Unclear {
  if (text === null) return {}
  const inWindow = /^window\s+(\S.*)$/i.exec(text)?.[1]
  if (inWindow !== undefined) return { inWindow }
  const zone = times?.targets.get(target)?.timezone
  const when = times === null || zone === undefined ? undefined : readWhen(text, { now: times.now, zone })
  return isRefusal(when) ? when : { at: text }
}

/** Where the form was opened; undefined when the metadata is not ours. */
export function originOf(metadata: string): Origin | undefined {
  try {
    const origin: unknown = JSON.parse(metadata)
    if (typeof origin !== 'object' || origin === null) return undefined
    const { channel, isDirect } = origin as { readonly channel?: unknown; readonly isDirect?: unknown }
    const isOurs = typeof channel === 'string' && /^[CDG][A-Z0-9]+$/.test(channel) && typeof isDirect === 'boolean'
    return isOurs ? { channel, isDirect } : undefined
  } catch {
    return undefined // not JSON
  }
}

const labelOf = (target: Target) => (target.title === target.name ? target.name : `${target.title} (${target.name})`).slice(0, 75)

function textOf(values: FormValues, id: string): string | null {
  const text = values[id]?.[id]?.value?.trim()
  return text === undefined || text === '' ? null : text
}

export const formNotOpened = (known: Known): Refusal =>
  refuse(
    'stale_button',
    `The form could not be opened. Nothing was started. Type it instead: ${code(`${known.command} deploy ${known.targets[0] ?? 'prod'} --reason "why"`, 120)}`,
  )
