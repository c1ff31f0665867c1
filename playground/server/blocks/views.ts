import { isRecord } from '../shape.ts'
import { blockProblems, type BlockFeatures } from './blocks.ts'
import { anything, boolean, object, oneOf, problemsOf, string, type Check, type Problem } from './check.ts'
import { plainText } from './composition.ts'

/** docs.slack.dev/reference/views: titles and buttons 24 characters, 100 blocks, `private_metadata` 3,000. */
export function viewProblems(view: unknown, expected: 'modal' | 'home', features: BlockFeatures): readonly Problem[] {
  if (!isRecord(view)) return [{ at: '/view', message: 'must be an object' }]
  if (view['type'] !== expected) return [{ at: '/view/type', message: `must be a valid enum value` }]
  return [
    ...problemsOf(expected === 'modal' ? modal : home, view, '/view'),
    ...(view['blocks'] === undefined ? [] : blockProblems(view['blocks'], expected, features, '/view/blocks')),
    ...(expected === 'modal' ? missingSubmit(view) : []),
  ]
}

const common: Readonly<Record<string, Check>> = {
  private_metadata: string(3000, 0),
  callback_id: string(255, 0),
  external_id: string(255, 0),
}

const modal = object(
  { type: oneOf('modal'), title: plainText(24), blocks: anything },
  { ...common, submit: plainText(24), close: plainText(24), clear_on_close: boolean, notify_on_close: boolean, submit_disabled: boolean },
)

const home = object({ type: oneOf('home'), blocks: anything }, common)

/** A modal with an input needs a button that submits it. */
function missingSubmit(view: Record<string, unknown>): readonly Problem[] {
  const blocks = Array.isArray(view['blocks']) ? view['blocks'] : []
  const asks = blocks.some((block) => isRecord(block) && block['type'] === 'input')
  return asks && view['submit'] === undefined ? [{ at: '/view', message: 'submit is required when an input block is used' }] : []
}
