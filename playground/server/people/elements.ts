import { isArray, isRecord, recordOf, recordsOf, textOf, type Json } from '../shape.ts'

/** Finding what a person acts on inside blocks, and saying it as Slack says it. */

export type Found = { readonly blockId: string; readonly element: Json; readonly block: Json }

function elementsOf(blocks: readonly Json[]): readonly Found[] {
  return blocks.flatMap((block) => {
    if (block['type'] === 'container') return elementsOf(recordsOf(block['child_blocks']))
    const inside = [...recordsOf(block['elements']), ...recordsOf([block['accessory']]), ...recordsOf([block['element']])]
    return inside.map((element) => ({ blockId: textOf(block['block_id']), element, block }))
  })
}

export const findElement = (blocks: readonly Json[], actionId: string, blockId?: string): Found | undefined =>
  elementsOf(blocks).find(
    (each) => each.element['action_id'] === actionId && (blockId === undefined || blockId === '' || each.blockId === blockId),
  )

/** How each kind of element carries a value, in actions and in `state.values`. */
export function valueOf(element: Json, selected: string): Json {
  const type = textOf(element['type'])
  const option = (): Json | null => optionsOf(element).find((each) => each['value'] === selected) ?? null
  const list = selected === '' ? [] : selected.split(',')
  switch (type) {
    case 'button':
      return {}
    case 'static_select':
    case 'external_select':
    case 'radio_buttons':
    case 'overflow':
      return { selected_option: option() }
    case 'checkboxes':
    case 'multi_static_select':
      return { selected_options: optionsOf(element).filter((each) => list.includes(textOf(each['value']))) }
    case 'users_select':
      return { selected_user: selected || null }
    case 'channels_select':
      return { selected_channel: selected || null }
    case 'conversations_select':
      return { selected_conversation: selected || null }
    case 'multi_users_select':
      return { selected_users: list }
    case 'multi_channels_select':
      return { selected_channels: list }
    case 'multi_conversations_select':
      return { selected_conversations: list }
    case 'datepicker':
      return { selected_date: selected || null }
    case 'timepicker':
      return { selected_time: selected || null }
    case 'datetimepicker':
      return { selected_date_time: selected === '' ? null : Number(selected) }
    default:
      return { value: selected === '' ? null : selected }
  }
}

/** What stands in the inputs: what was typed or chosen, and otherwise what the app put there. */
export function stateValues(blocks: readonly Json[], given: Readonly<Record<string, unknown>> = {}): Json {
  const values: Record<string, Json> = {}
  for (const { blockId, element } of elementsOf(blocks)) {
    const type = textOf(element['type'])
    const actionId = textOf(element['action_id'])
    if (['button', 'image', 'mrkdwn', 'plain_text', 'overflow'].includes(type) || actionId === '') continue
    const own = recordOf(given[blockId])[actionId]
    const value = isRecord(own) ? own : typeof own === 'string' ? valueOf(element, own) : initial(element)
    values[blockId] = { ...values[blockId], [actionId]: { type, ...value } }
  }
  return values
}

/** Required inputs that hold nothing, as the client finds them before it sends anything. */
export function emptyInputs(blocks: readonly Json[], values: Json): Readonly<Record<string, string>> {
  const errors: Record<string, string> = {}
  for (const block of blocks) {
    const element = recordOf(block['element'])
    const blockId = textOf(block['block_id'])
    if (block['type'] !== 'input') continue
    const held = recordOf(recordOf(values[blockId])[textOf(element['action_id'])])
    const content = Object.entries(held).filter(([name]) => name !== 'type')
    const isEmpty = content.every(([, value]) => value === null || value === '' || (isArray(value) && value.length === 0))
    if (isEmpty && block['optional'] !== true) errors[blockId] = 'Please complete this required field.'
    const typed = textOf(held['value'])
    const longest = element['max_length']
    const shortest = element['min_length']
    if (typeof longest === 'number' && typed.length > longest) errors[blockId] = `Please enter at most ${longest} characters.`
    if (typeof shortest === 'number' && typed !== '' && typed.length < shortest)
      errors[blockId] = `Please enter at least ${shortest} characters.`
  }
  return errors
}

const optionsOf = (element: Json): readonly Json[] => [
  ...recordsOf(element['options']),
  ...recordsOf(element['option_groups']).flatMap((group) => recordsOf(group['options'])),
]

function initial(element: Json): Json {
  const empty = valueOf(element, '')
  const preset = Object.entries(element).find(([name]) => name.startsWith('initial_'))
  const field = Object.keys(empty)[0]
  return preset && field !== undefined ? { [field]: preset[1] } : empty
}
