import { describe, expect, test } from 'vitest'
import { collectValues, type Entry, entryKey, missingInputs } from '../../../playground/page/values.ts'

const option = (value: string): Record<string, unknown> => ({ text: { type: 'plain_text', text: value.toUpperCase() }, value })
const input = (blockId: string, element: Record<string, unknown>, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  type: 'input',
  block_id: blockId,
  element: { action_id: 'a', ...element },
  ...more,
})
const entries = (...given: readonly (readonly [string, Entry])[]): ReadonlyMap<string, Entry> =>
  new Map(given.map(([blockId, entry]) => [entryKey(blockId, 'a'), entry]))

describe('state.values', () => {
  test('nothing entered: initial values, and null where there is none', () => {
    const blocks = [
      input('ref', { type: 'plain_text_input', initial_value: 'main' }),
      input('reason', { type: 'plain_text_input' }),
      input('target', { type: 'static_select', options: [option('prod')], initial_option: option('prod') }),
      input('tell', { type: 'multi_static_select', options: [option('bob')] }),
      input('when', { type: 'datetimepicker', initial_date_time: 1795165200 }),
    ]
    expect(collectValues(blocks, new Map())).toEqual({
      ref: { a: { type: 'plain_text_input', value: 'main' } },
      reason: { a: { type: 'plain_text_input', value: null } },
      target: { a: { type: 'static_select', selected_option: option('prod') } },
      tell: { a: { type: 'multi_static_select', selected_options: [] } },
      when: { a: { type: 'datetimepicker', selected_date_time: 1795165200 } },
    })
  })
  test('what was entered replaces the initial value, also when it was emptied', () => {
    const blocks = [
      input('ref', { type: 'plain_text_input', initial_value: 'main' }),
      input('opts', { type: 'checkboxes', options: [option('s'), option('g')], initial_options: [option('s')] }),
      input('order', { type: 'radio_buttons', options: [option('m'), option('a')], initial_option: option('m') }),
      input('who', { type: 'multi_users_select' }),
    ]
    expect(collectValues(blocks, entries(['ref', null], ['opts', ['g']], ['order', 'a'], ['who', ['U1', 'U2']]))).toEqual({
      ref: { a: { type: 'plain_text_input', value: null } },
      opts: { a: { type: 'checkboxes', selected_options: [option('g')] } },
      order: { a: { type: 'radio_buttons', selected_option: option('a') } },
      who: { a: { type: 'multi_users_select', selected_users: ['U1', 'U2'] } },
    })
  })
  test('menus beside a section and in actions count, buttons do not', () => {
    const blocks = [
      { type: 'section', block_id: 's', accessory: { type: 'static_select', action_id: 'a', options: [option('x')] } },
      {
        type: 'actions',
        block_id: 'b',
        elements: [
          { type: 'button', action_id: 'go' },
          { type: 'users_select', action_id: 'who' },
        ],
      },
      { type: 'context', block_id: 'c', elements: [{ type: 'mrkdwn', text: 'x' }] },
    ]
    expect(collectValues(blocks, entries(['s', 'x']))).toEqual({
      s: { a: { type: 'static_select', selected_option: option('x') } },
      b: { who: { type: 'users_select', selected_user: null } },
    })
  })
  test('an option inside a group is found', () => {
    const grouped = input('t', { type: 'static_select', option_groups: [{ label: {}, options: [option('prod')] }] })
    expect(collectValues([grouped], entries(['t', 'prod']))).toEqual({
      t: { a: { type: 'static_select', selected_option: option('prod') } },
    })
  })
})

test('a required input that holds nothing is missing, an optional one is not', () => {
  const blocks = [
    input('reason', { type: 'plain_text_input', initial_value: 'x' }),
    input('ref', { type: 'plain_text_input' }, { optional: true }),
    input('opts', { type: 'checkboxes', options: [option('s')] }),
  ]
  expect(missingInputs(blocks, entries(['reason', null]))).toEqual({
    reason: 'Please complete this required field.',
    opts: 'Please complete this required field.',
  })
  expect(missingInputs(blocks, entries(['opts', ['s']]))).toEqual({})
})
