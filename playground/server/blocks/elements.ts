import { all, array, boolean, byType, integer, object, oneOf, string, type Check } from './check.ts'
import { confirm, distinctValues, option, optionGroup, optionsOrGroups, plainText, richOption } from './composition.ts'

/** Block elements. Limits: docs.slack.dev/reference/block-kit/block-elements. */

const type = string(50)
const action = { action_id: string(255) }
const placeholder = { placeholder: plainText(150) }
const focus = { focus_on_load: boolean }
const dispatch = { dispatch_action_config: object({}, { trigger_actions_on: array(oneOf('on_enter_pressed', 'on_character_entered'), 2) }) }
const pattern =
  (form: RegExp, what: string): Check =>
  (value, at, report) => {
    if (typeof value !== 'string' || !form.test(value)) report(at, `must be ${what}`)
  }
const date = pattern(/^\d{4}-\d{2}-\d{2}$/, 'a date in the format YYYY-MM-DD')
const time = pattern(/^\d{2}:\d{2}$/, 'a time in the format HH:mm')

const button = object(
  { type, text: plainText(75) },
  { ...action, url: string(3000), value: string(2000), style: oneOf('primary', 'danger'), confirm, accessibility_label: string(75) },
)

const image = object(
  { type, alt_text: string(2000) },
  { image_url: string(3000), slack_file: object({}, { id: string(50), url: string(3000) }) },
)

const options = { options: array(option, 100) }
const groups = { option_groups: array(optionGroup, 100) }
const staticSelect = all(
  object({ type }, { ...action, ...options, ...groups, initial_option: option, confirm, ...focus, ...placeholder }),
  optionsOrGroups,
  distinctValues,
)
const multiStaticSelect = all(
  object(
    { type },
    {
      ...action,
      ...options,
      ...groups,
      initial_options: array(option, 100),
      confirm,
      max_selected_items: integer(1, 100),
      ...focus,
      ...placeholder,
    },
  ),
  optionsOrGroups,
  distinctValues,
)
const idSelect = (initial: string): Check =>
  object(
    { type },
    {
      ...action,
      [initial]: string(50),
      confirm,
      response_url_enabled: boolean,
      default_to_current_conversation: boolean,
      filter: object(
        {},
        {
          include: array(oneOf('im', 'mpim', 'private', 'public'), 4),
          exclude_external_shared_channels: boolean,
          exclude_bot_users: boolean,
        },
      ),
      ...focus,
      ...placeholder,
    },
  )
const multiIdSelect = (initial: string): Check =>
  object(
    { type },
    { ...action, [initial]: array(string(50), 100, 0), confirm, max_selected_items: integer(1, 100), ...focus, ...placeholder },
  )

const menus = {
  static_select: staticSelect,
  external_select: object(
    { type },
    { ...action, initial_option: option, min_query_length: integer(0, 100), confirm, ...focus, ...placeholder },
  ),
  users_select: idSelect('initial_user'),
  conversations_select: idSelect('initial_conversation'),
  channels_select: idSelect('initial_channel'),
  multi_static_select: multiStaticSelect,
  multi_users_select: multiIdSelect('initial_users'),
  multi_conversations_select: multiIdSelect('initial_conversations'),
  multi_channels_select: multiIdSelect('initial_channels'),
}

const choices = {
  checkboxes: all(
    object({ type, options: array(richOption, 10) }, { ...action, initial_options: array(richOption, 10), confirm, ...focus }),
    distinctValues,
  ),
  radio_buttons: all(
    object({ type, options: array(richOption, 10) }, { ...action, initial_option: richOption, confirm, ...focus }),
    distinctValues,
  ),
}

const pickers = {
  datepicker: object({ type }, { ...action, initial_date: date, confirm, ...focus, ...placeholder }),
  timepicker: object({ type }, { ...action, initial_time: time, confirm, timezone: string(100), ...focus, ...placeholder }),
  datetimepicker: object({ type }, { ...action, initial_date_time: integer(1_000_000_000, 9_999_999_999), confirm, ...focus }),
}

const overflow = all(object({ type, options: array(option, 5) }, { ...action, confirm }), distinctValues)

const textInputs = {
  plain_text_input: object(
    { type },
    {
      ...action,
      initial_value: string(3000, 0),
      multiline: boolean,
      min_length: integer(0, 3000),
      max_length: integer(1, 3000),
      ...dispatch,
      ...focus,
      ...placeholder,
    },
  ),
  email_text_input: object({ type }, { ...action, initial_value: string(3000), ...dispatch, ...focus, ...placeholder }),
  url_text_input: object({ type }, { ...action, initial_value: string(3000), ...dispatch, ...focus, ...placeholder }),
  number_input: object(
    { type, is_decimal_allowed: boolean },
    { ...action, initial_value: string(100), min_value: string(100), max_value: string(100), ...dispatch, ...focus, ...placeholder },
  ),
  rich_text_input: object(
    { type },
    { ...action, initial_value: object({ type, elements: array(() => undefined, 1000, 0) }), ...dispatch, ...focus, ...placeholder },
  ),
}

export const inActions: Check = byType({ button, overflow, ...menus, ...choices, ...pickers })

export const inAccessory: Check = byType({ button, image, overflow, ...menus, ...choices, ...pickers })

export const contextImage: Check = image

const inputs = { ...textInputs, ...menus, ...choices, ...pickers }

/** Text inputs stand in `input` blocks only. */
export const inInput: Check = byType(inputs)

/** Files are asked for in modals only. */
export const inModalInput: Check = byType({
  ...inputs,
  file_input: object({ type }, { ...action, filetypes: array(string(50), 100, 0), max_files: integer(1, 10) }),
})
