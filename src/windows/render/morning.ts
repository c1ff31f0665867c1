import { cleanMrkdwn, escapeLine, pluralText } from '../../lib/text/text.ts'
import { header, section } from '../../slack/blocks/blocks.ts'
import { fit } from '../../slack/limits/limits.ts'
import type { Message } from '../../slack/port.ts'

/** `data` of a channel post of the kind `morning`. */
export type MorningNews = {
  readonly targets: readonly { readonly title: string; /** mrkdwn */ readonly lines: readonly string[] }[]
}

/** Posted once and not kept current. */
export const morningMessage = ({ targets }: MorningNews): Message =>
  fit({
    text: `Not live yet, or not as it should be: ${pluralText(targets.length, 'target')}`,
    blocks: [
      header('This morning'),
      ...targets.map(({ title, lines }) => section([`*${escapeLine(title)}*`, ...lines.map((line) => cleanMrkdwn(line))].join('\n'))),
    ],
  })
