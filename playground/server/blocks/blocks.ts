import { isArray, isRecord } from '../shape.ts'
import { all, array, boolean, byType, integer, object, oneOf, problemsOf, string, type Check, type Problem } from './check.ts'
import { anyText, confirm, mrkdwnText, plainText } from './composition.ts'
import { contextImage, inAccessory, inActions, inInput, inModalInput } from './elements.ts'
import { richText, richTextLength } from './rich-text.ts'

/** `message` allows 50 blocks, `modal` and `home` 100 (docs.slack.dev/reference/block-kit/blocks). */
export type Surface = 'message' | 'modal' | 'home'

/** What the seeded workspace's Slack knows: some workspaces do not have the newer blocks yet. */
export type BlockFeatures = { readonly plan: boolean }

export function blockProblems(blocks: unknown, surface: Surface, features: BlockFeatures, at = '/blocks'): readonly Problem[] {
  const kinds = Object.fromEntries(
    Object.entries(allKinds).filter(([type]) => (allowed[type] ?? everywhere).includes(surface) && (features.plan || !newer.has(type))),
  )
  const known = surface === 'modal' ? { ...kinds, input: inputOf(inModalInput) } : kinds
  const list = all(array(byType(known), surface === 'message' ? 50 : 100, 0), distinctIds)
  return problemsOf(list, blocks, at)
}

const everywhere: readonly Surface[] = ['message', 'modal', 'home']
const newer = new Set(['plan', 'task_card'])
const allowed: Readonly<Record<string, readonly Surface[]>> = {
  alert: ['modal'],
  plan: ['message'],
  task_card: ['message'],
  table: ['message'],
  data_table: ['message'],
  markdown: ['message'],
  file: ['message'],
  context_actions: ['message'],
}

const type = string(50)
const id = { block_id: string(255) }

const distinctActions: Check = (value, at, report) => {
  if (!isRecord(value) || !isArray(value['elements'])) return
  const seen = new Set<unknown>()
  value['elements'].forEach((element, index) => {
    const own = isRecord(element) ? element['action_id'] : undefined
    if (typeof own === 'string' && seen.has(own))
      report(`${at}/elements/${index}/action_id`, `action_id ${own} already exists in this block`)
    seen.add(own)
  })
}

const distinctIds: Check = (value, at, report) => {
  if (!isArray(value)) return
  const seen = new Set<unknown>()
  value.forEach((block, index) => {
    const own = isRecord(block) ? block['block_id'] : undefined
    if (typeof own === 'string' && seen.has(own)) report(`${at}/${index}/block_id`, `block_id ${own} already exists`)
    seen.add(own)
  })
}

const textOrFields: Check = (value, at, report) => {
  if (isRecord(value) && value['text'] === undefined && value['fields'] === undefined) report(at, 'missing required field: text')
}

const contextElement: Check = (value, at, report) =>
  isRecord(value) && value['type'] === 'image' ? contextImage(value, at, report) : anyText(3000)(value, at, report)

const number: Check = (value, at, report) => {
  if (typeof value !== 'number') report(at, 'must be a number')
}

const cell = byType({
  raw_text: object({ type, text: string(40_000) }),
  raw_number: object({ type, value: number, text: string(40_000) }),
  rich_text: richText,
})

const sameWidth: Check = (value, at, report) => {
  if (!isRecord(value) || !isArray(value['rows'])) return
  const widths = value['rows'].map((row) => (isArray(row) ? row.length : 0))
  widths.forEach((width, index) => {
    if (width !== widths[0]) report(`${at}/rows/${index}`, 'all rows must have the same number of cells')
  })
}

/** Measured: details of a task over 256 characters are refused. */
const detail: Check = all(richText, (value, at, report) => {
  if (richTextLength(value) > 256) report(at, 'must be less than 257 characters')
})

const taskFields = {
  required: { task_id: string(255), title: string(3000) },
  optional: {
    status: oneOf('pending', 'in_progress', 'complete', 'error'),
    details: detail,
    output: richText,
    sources: array(object({ type: oneOf('url'), url: string(3000), text: string(255) }), 100, 0),
  },
}
const taskInPlan = object(taskFields.required, { ...taskFields.optional, ...id, type: oneOf('task_card') })
const taskCard = object({ type, ...taskFields.required }, { ...taskFields.optional, ...id })

const distinctTasks: Check = (value, at, report) => {
  if (!isRecord(value) || !isArray(value['tasks'])) return
  const seen = new Set<unknown>()
  value['tasks'].forEach((task, index) => {
    const own = isRecord(task) ? task['task_id'] : undefined
    if (typeof own === 'string' && seen.has(own)) report(`${at}/tasks/${index}/task_id`, `task_id ${own} already exists`)
    seen.add(own)
  })
}

const inputOf = (element: Check): Check =>
  object({ type, label: plainText(2000), element }, { ...id, hint: plainText(2000), optional: boolean, dispatch_action: boolean })

const imageSource = { image_url: string(3000), slack_file: object({}, { id: string(50), url: string(3000) }) }

const blockKinds: Readonly<Record<string, Check>> = {
  section: all(
    object({ type }, { ...id, text: anyText(3000), fields: array(anyText(2000), 10), accessory: inAccessory, expand: boolean }),
    textOrFields,
  ),
  header: object({ type, text: plainText(150) }, id),
  divider: object({ type }, id),
  context: object({ type, elements: array(contextElement, 10) }, id),
  actions: all(object({ type, elements: array(inActions, 25) }, id), distinctActions),
  input: inputOf(inInput),
  image: object({ type, alt_text: string(2000) }, { ...id, title: plainText(2000), ...imageSource }),
  rich_text: richText,
  markdown: object({ type, text: string(12_000) }, id),
  alert: object({ type, text: anyText(3000) }, { ...id, level: oneOf('default', 'info', 'warning', 'error', 'success') }),
  table: all(
    object(
      { type, rows: array(array(cell, 20), 100) },
      { ...id, column_settings: array(object({}, { align: oneOf('left', 'center', 'right'), is_wrapped: boolean }), 20, 0) },
    ),
    sameWidth,
  ),
  data_table: all(
    object(
      { type, caption: string(3000), rows: array(array(cell, 20), 101, 2) },
      { ...id, page_size: integer(1, 100), row_header_column_index: integer(0, 19) },
    ),
    sameWidth,
  ),
  task_card: taskCard,
  plan: all(object({ type, title: string(3000) }, { ...id, tasks: array(taskInPlan, 50, 0) }), distinctTasks),
  file: object({ type, source: oneOf('remote'), external_id: string(255) }, id),
  video: object(
    { type, video_url: string(3000), thumbnail_url: string(3000), alt_text: string(2000), title: plainText(200) },
    {
      ...id,
      title_url: string(3000),
      author_name: string(50),
      provider_name: string(50),
      provider_icon_url: string(3000),
      description: plainText(200),
    },
  ),
  card: object(
    { type },
    {
      ...id,
      hero_image: contextImage,
      icon: contextImage,
      title: mrkdwnText(150),
      subtitle: mrkdwnText(150),
      body: mrkdwnText(200),
      actions: array(inActions, 25, 0),
    },
  ),
}

const inContainer = new Set(['actions', 'context', 'divider', 'file', 'header', 'image', 'input', 'rich_text', 'section', 'table', 'video'])
const feedback = object({ text: plainText(75), value: string(2000) }, { accessibility_label: string(75) })
const titled: Check = (value, at, report) => {
  if (isRecord(value) && value['title'] === undefined && value['rich_text_title'] === undefined) report(at, 'missing required field: title')
}

const allKinds: Readonly<Record<string, Check>> = {
  ...blockKinds,
  carousel: object({ type, elements: array(blockKinds['card'] ?? byType({}), 10) }, id),
  container: all(
    object(
      {
        type,
        child_blocks: array(byType(Object.fromEntries(Object.entries(blockKinds).filter(([kind]) => inContainer.has(kind)))), 10),
      },
      {
        ...id,
        title: plainText(150),
        rich_text_title: richText,
        subtitle: anyText(150),
        width: oneOf('narrow', 'standard', 'wide', 'full'),
        icon: contextImage,
        is_collapsible: boolean,
        default_collapsed: boolean,
        has_header_divider: boolean,
      },
    ),
    titled,
  ),
  context_actions: all(
    object(
      {
        type,
        elements: array(
          byType({
            feedback_buttons: object({ type, positive_button: feedback, negative_button: feedback }, { action_id: string(255) }),
            icon_button: object(
              { type, icon: string(100), text: plainText(75) },
              {
                action_id: string(255),
                value: string(2000),
                confirm,
                accessibility_label: string(75),
                visible_to_user_ids: array(string(50), 100),
              },
            ),
          }),
          5,
        ),
      },
      id,
    ),
    distinctActions,
  ),
}
