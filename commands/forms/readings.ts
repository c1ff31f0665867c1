import { radioInput, textInput } from '../../src/slack/blocks/blocks.ts'
import type { Block } from '../../src/slack/port.ts'
import type { Unclear } from '../../src/calendar/when.ts'
import { truncate } from '../../src/lib/text/text.ts'
import type { FormValues } from './values.ts'

/** A time in a form that can be read in more than one way: its readings to choose from, with a field for another one. */

export type Filled = { readonly values: FormValues; readonly readings: readonly string[] }

const MEANT = 'meant'

/** The time that was typed; null when nothing was. A new one counts more than the choice between old readings. */
export const timeIn = (values: FormValues, id: string): string | null =>
  valueIn(values, id) ?? values[MEANT]?.[MEANT]?.selected_option?.value ?? null

/** The field for a time: by itself, or below the readings of what was typed before. */
export function timeInputs(
  field: { readonly id: string; readonly label: string; readonly placeholder: string; readonly optional?: boolean },
  filled: Filled | null,
): readonly Block[] {
  const { id, label, placeholder, optional = false } = field
  if (filled === null) return [textInput({ id, label, placeholder, optional, maximum: 200 })]
  const typed = truncate(timeIn(filled.values, id) ?? '', 100)
  return [
    radioInput({
      id: MEANT,
      label: `${label}: “${typed}” can be read in more than one way. Which is meant?`,
      optional: true,
      choices: filled.readings.map((reading) => ({ value: reading, label: reading })),
    }),
    // another id, so that what was typed does not come back
    textInput({ id: `${id}_again`, label: 'Or another time', placeholder, optional: true, maximum: 200 }),
  ]
}

/** What was typed into a field, to stand there again. */
export const initialOf = (filled: Filled | null, id: string): { readonly initial?: string } => {
  const text = filled === null ? null : valueIn(filled.values, id)
  return text === null ? {} : { initial: text }
}

/** The field that an error about the time stands under. */
export const timeField = (values: FormValues, id: string): string => (values[`${id}_again`] === undefined ? id : `${id}_again`)

/** What of a time's field is to be chosen from; null when it is clear, or wrong. */
export const readingsOf = (when: object): readonly string[] | null => (isUnclear(when) && when.readings.length > 1 ? when.readings : null)

const isUnclear = (when: object): when is Unclear => 'readings' in when

function valueIn(values: FormValues, id: string): string | null {
  for (const one of [`${id}_again`, id]) {
    const text = values[one]?.[one]?.value?.trim()
    if (text !== undefined && text !== '') return text
  }
  return null
}
