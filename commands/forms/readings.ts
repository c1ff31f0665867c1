import { radioInput, textInput } from '../../src/slack/blocks/blocks.ts'
import type { Block } from '../../src/slack/port.ts'
import type { Unclear } from '../../src/calendar/when.ts'
import { truncate } from '../../src/lib/text/text.ts'
import type { FormValues } from './values.ts'

/** A time in a form that can be read in more than one way: its readings to choose from, with a field for another one. */

export type Filled = { readonly values: FormValues; readonly readings: readonly string[] }

/** The time that was typed; null when nothing was. A new one counts more than the choice between old readings. */
export function timeIn(values: FormValues, id: string): string | null {
  const { again, meant } = idsOf(id, roundOf(values, id))
  const chosen = values[meant]?.[meant]?.selected_option?.value ?? null
  return valueIn(values, again) ?? (chosen === ANOTHER ? null : chosen)
}

const ANOTHER = 'another'

/** Whether there was a choice and it was not made: what was typed before does not count as nothing. */
export const isUnchosen = (values: FormValues, id: string): boolean => roundOf(values, id) > 0 && timeIn(values, id) === null

/** How often it was asked which time is meant. */
const roundOf = (values: FormValues, id: string): number =>
  Math.max(0, ...Object.keys(values).flatMap((key) => (key.startsWith(`${id}_again_`) ? [Number(key.slice(`${id}_again_`.length))] : [])))

/** Others in each round: Slack keeps what stands in a field whose ids stay. */
const idsOf = (id: string, round: number) =>
  round === 0 ? { again: id, meant: '' } : { again: `${id}_again_${round}`, meant: `meant_${round}` }

/** The field for a time: by itself, or below the readings of what was typed before. */
export function timeInputs(
  field: { readonly id: string; readonly label: string; readonly placeholder: string; readonly optional?: boolean },
  filled: Filled | null,
): readonly Block[] {
  const { id, label, placeholder, optional = false } = field
  if (filled === null) return [textInput({ id, label, placeholder, optional, maximum: 200 })]
  const typed = truncate(timeIn(filled.values, id) ?? '', 100)
  const { again, meant } = idsOf(id, roundOf(filled.values, id) + 1)
  return [
    radioInput({
      id: meant,
      label: `${label}: “${typed}” can be read in more than one way. Which is meant?`,
      // Slack writes "(optional)" behind the label of what may stay empty, and this may not
      optional: false,
      choices: [
        ...filled.readings.map((reading) => ({ value: reading, label: reading })),
        { value: ANOTHER, label: 'Another time, written below' },
      ],
    }),
    textInput({ id: again, label: 'Another time', placeholder, optional: true, maximum: 200 }),
  ]
}

/** What was typed into a field, to stand there again. */
export const initialOf = (filled: Filled | null, id: string): { readonly initial?: string } => {
  const text = filled === null ? null : valueIn(filled.values, id)
  return text === null ? {} : { initial: text }
}

/** The field that an error about the time stands under. */
export const timeField = (values: FormValues, id: string): string => idsOf(id, roundOf(values, id)).again

/** What of a time's field is to be chosen from; null when it is clear, or wrong. */
export const readingsOf = (when: object): readonly string[] | null => (isUnclear(when) && when.readings.length > 1 ? when.readings : null)

const isUnclear = (when: object): when is Unclear => 'readings' in when

function valueIn(values: FormValues, id: string): string | null {
  const text = values[id]?.[id]?.value?.trim()
  return text === undefined || text === '' ? null : text
}
