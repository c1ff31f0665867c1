import { arrayAt, flagAt, type Json, numberAt, objectAt, objectsAt, textAt, textsAt } from './json.ts'

/** What a person has entered so far: one value for each input, `null` where it was emptied. */
export type Entry = string | readonly string[] | null
export type Entries = ReadonlyMap<string, Entry>
export type StateValues = Record<string, Record<string, unknown>>

export function entryKey(blockId: string, actionId: string): string {
  return `${blockId}\n${actionId}`
}

/** Slack's `view.state.values` for these blocks: what was entered, else the initial value of each input. */
export function collectValues(blocks: readonly Json[], entries: Entries): StateValues {
  const values: StateValues = {}
  for (const { blockId, element } of inputsOf(blocks)) {
    const type = textAt(element, 'type') ?? ''
    const actionId = textAt(element, 'action_id') ?? ''
    const entered = entries.get(entryKey(blockId, actionId))
    const entry = entered === undefined ? initialEntry(element) : entered
    values[blockId] = { ...values[blockId], [actionId]: { type, ...valueOf(element, type, entry) } }
  }
  return values
}

/** Labels of the inputs that must be filled and are not, by block id. */
export function missingInputs(blocks: readonly Json[], entries: Entries): Record<string, string> {
  const missing: Record<string, string> = {}
  for (const block of blocks.filter((candidate) => candidate['type'] === 'input' && !flagAt(candidate, 'optional'))) {
    const element = objectAt(block, 'element')
    const blockId = textAt(block, 'block_id') ?? ''
    const entered = entries.get(entryKey(blockId, textAt(element, 'action_id') ?? ''))
    const entry = entered === undefined ? initialEntry(element ?? {}) : entered
    if (entry === null || entry.length === 0) missing[blockId] = 'Please complete this required field.'
  }
  return missing
}

export function initialEntry(element: Json): Entry {
  const type = textAt(element, 'type') ?? ''
  if (isMultiple(type)) {
    const options = objectsAt(element, 'initial_options').map((option) => textAt(option, 'value') ?? '')
    const ids = ['initial_users', 'initial_channels', 'initial_conversations'].flatMap((key) => textsAt(element, key))
    return [...options, ...ids]
  }
  const option = textAt(objectAt(element, 'initial_option'), 'value')
  const text = ['initial_value', 'initial_user', 'initial_channel', 'initial_conversation', 'initial_date', 'initial_time']
    .map((key) => textAt(element, key))
    .find((found) => found !== null)
  const moment = numberAt(element, 'initial_date_time')
  return option ?? text ?? (moment === null ? null : String(moment))
}

export function isMultiple(type: string): boolean {
  return type === 'checkboxes' || type.startsWith('multi_')
}

/** Options of a menu, flat: those of its groups too. */
export function optionsOf(element: Json): readonly Json[] {
  return [...objectsAt(element, 'options'), ...objectsAt(element, 'option_groups').flatMap((group) => objectsAt(group, 'options'))]
}

const STATELESS = new Set(['button', 'workflow_button', 'overflow', 'image', 'plain_text', 'mrkdwn', 'icon_button', 'feedback_buttons'])

function inputsOf(blocks: readonly Json[]): readonly { readonly blockId: string; readonly element: Json }[] {
  return blocks.flatMap((block) => {
    const blockId = textAt(block, 'block_id') ?? ''
    const single = [objectAt(block, 'element'), objectAt(block, 'accessory')].filter((element) => element !== null)
    const elements = block['type'] === 'actions' ? objectsAt(block, 'elements') : single
    return elements.filter((element) => !STATELESS.has(textAt(element, 'type') ?? '')).map((element) => ({ blockId, element }))
  })
}

function valueOf(element: Json, type: string, entry: Entry): Record<string, unknown> {
  if (type.startsWith('multi_') || type === 'checkboxes') return { [multipleField(type)]: chosenMany(element, type, entry) }
  const single = typeof entry === 'string' && entry !== '' ? entry : null
  switch (type) {
    case 'static_select':
    case 'external_select':
    case 'radio_buttons':
      return { selected_option: single === null ? null : chosen(element, single) }
    case 'users_select':
      return { selected_user: single }
    case 'channels_select':
      return { selected_channel: single }
    case 'conversations_select':
      return { selected_conversation: single }
    case 'datepicker':
      return { selected_date: single }
    case 'timepicker':
      return { selected_time: single }
    case 'datetimepicker':
      return { selected_date_time: single === null ? null : Number(single) }
    default:
      return { value: single }
  }
}

function multipleField(type: string): string {
  if (type === 'multi_users_select') return 'selected_users'
  if (type === 'multi_channels_select') return 'selected_channels'
  return type === 'multi_conversations_select' ? 'selected_conversations' : 'selected_options'
}

function chosenMany(element: Json, type: string, entry: Entry): readonly unknown[] {
  const values = Array.isArray(entry) ? arrayAt({ entry }, 'entry').filter((value) => typeof value === 'string') : []
  if (multipleField(type) !== 'selected_options') return values
  return values.map((value) => chosen(element, value)).filter((option) => option !== null)
}

function chosen(element: Json, value: string): Json | null {
  return optionsOf(element).find((option) => textAt(option, 'value') === value) ?? null
}
