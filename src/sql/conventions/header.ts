import type { ReviewSettings } from '../../config/keys/review.ts'
import type { Draft } from '../weigh/draft.ts'
import { inCode } from '../weigh/size.ts'

/** What a target asks of every migration, whatever its SQL does: a name that says something, and a header that says the rest. */
export function headerDrafts(name: string, content: Buffer, settings: ReviewSettings): readonly Draft[] {
  const { names, header = [], weights } = settings
  const isNamed = names === undefined || new RegExp(names.pattern, 'u').test(name)
  const said = header.length === 0 ? new Set<string>() : saidIn(content.toString('utf8'))
  const missing = header.filter((key) => !said.has(key))
  const draft = (code: 'name' | 'header', text: string): Draft => ({
    code,
    weight: weights?.[code] ?? 'warning',
    line: null,
    table: null,
    text,
    advice: null,
  })
  return [
    ...(isNamed ? [] : [draft('name', `its name does not fit the rule of this target, ${inCode(names.pattern, 80)}`)]),
    ...(missing.length === 0
      ? []
      : [
          draft(
            'header',
            `its comment at the top does not say ${listed(missing)}; write ${listed(missing.map((key) => inCode(`-- ${titled(key)}: …`)))} there`,
          ),
        ]),
  ]
}

/** `what`, `who` and the like, where a comment before the first statement has them with something behind the colon. */
function saidIn(text: string): ReadonlySet<string> {
  const said = new Set<string>()
  let isBlock = false
  for (const line of text.split('\n')) {
    const trimmed = line.trim()
    const isComment = isBlock || trimmed.startsWith('--') || trimmed.startsWith('/*')
    if (!isComment && trimmed !== '') break
    const [, key = ''] = /^[-/*\s]*([a-z]+)\s*:\s*[^\s*]/i.exec(trimmed) ?? []
    if (key !== '') said.add(key.toLowerCase())
    if (trimmed.startsWith('/*')) isBlock = true
    if (trimmed.includes('*/')) isBlock = false
  }
  return said
}

const listed = (parts: readonly string[]): string =>
  parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`

const titled = (key: string): string => `${key.charAt(0).toUpperCase()}${key.slice(1)}`
