import { isRecord } from '../shape.ts'
import { array, boolean, object, oneOf, string, type Check } from './check.ts'

/** Composition objects. Limits: docs.slack.dev/reference/block-kit/composition-objects. */

export const plainText = (max: number): Check => object({ type: oneOf('plain_text'), text: string(max) }, { emoji: boolean })

export function anyText(max: number): Check {
  const mrkdwn = object({ type: oneOf('mrkdwn'), text: string(max) }, { verbatim: boolean })
  const plain = plainText(max)
  return (value, at, report) => {
    if (!isRecord(value)) return report(at, 'must be an object')
    if (value['type'] === 'mrkdwn') mrkdwn(value, at, report)
    else if (value['type'] === 'plain_text') plain(value, at, report)
    else report(`${at}/type`, 'must be a valid enum value')
  }
}

export const mrkdwnText = (max: number): Check => object({ type: oneOf('mrkdwn'), text: string(max) }, { verbatim: boolean })

export const confirm: Check = object(
  { title: plainText(100), text: anyText(300), confirm: plainText(30), deny: plainText(30) },
  { style: oneOf('primary', 'danger') },
)

export const option: Check = object({ text: plainText(75), value: string(150) }, { description: plainText(75), url: string(3000) })

/** Radio buttons and checkboxes may write their options in mrkdwn. */
export const richOption: Check = object({ text: anyText(75), value: string(150) }, { description: anyText(75) })

export const optionGroup: Check = object({ label: plainText(75), options: array(option, 100) })

/** A menu has either options or groups of options, never both. */
export const optionsOrGroups: Check = (value, at, report) => {
  if (!isRecord(value)) return
  const has = [value['options'], value['option_groups']].filter((list) => list !== undefined).length
  if (has === 0) report(at, 'missing required field: options')
  if (has === 2) report(at, 'only one of options and option_groups is allowed')
}

export const distinctValues: Check = (value, at, report) => {
  if (!isRecord(value) || !Array.isArray(value['options'])) return
  const seen = new Set<unknown>()
  value['options'].forEach((each, index) => {
    const own = isRecord(each) ? each['value'] : undefined
    if (seen.has(own)) report(`${at}/options/${index}/value`, 'option values must be unique')
    seen.add(own)
  })
}
