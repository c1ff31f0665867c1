import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Inline, type Paragraph, parseMrkdwn } from '../../../playground/page/text/mrkdwn.ts'

const only = (source: string): readonly Inline[] => {
  const [first, ...rest] = parseMrkdwn(source)
  if (first === undefined || rest.length > 0 || first.kind !== 'paragraph') throw new Error(`not one paragraph: ${source}`)
  return first.children
}
const text = (value: string): Inline => ({ kind: 'text', text: value })

describe('spans', () => {
  test('bold, italic and strike stand around words, also inside each other', () => {
    expect(only('*a* _b_ ~c~ *d _e_*')).toEqual([
      { kind: 'bold', children: [text('a')] },
      text(' '),
      { kind: 'italic', children: [text('b')] },
      text(' '),
      { kind: 'strike', children: [text('c')] },
      text(' '),
      { kind: 'bold', children: [text('d '), { kind: 'italic', children: [text('e')] }] },
    ])
  })
  test('underscores inside names and stars between spaces are text', () => {
    expect(only('20261119_order_discount is 5 * 3 * 2')).toEqual([text('20261119_order_discount is 5 * 3 * 2')])
  })
  test('code keeps its characters and ends no span around it', () => {
    expect(only('*run `a*b_c` &amp; wait*')).toEqual([
      { kind: 'bold', children: [text('run '), { kind: 'code', text: 'a*b_c' }, text(' & wait')] },
    ])
  })
  test('a span does not reach over a line', () => {
    expect(only('*a\nb*')).toEqual([text('*a\nb*')])
  })
  test('punctuation may follow a span', () => {
    expect(only('*Why.* It')).toEqual([{ kind: 'bold', children: [text('Why.')] }, text(' It')])
    expect(only('(*a*), "_b_"!')[1]).toEqual({ kind: 'bold', children: [text('a')] })
  })
})

describe('angle brackets', () => {
  test('people, channels, groups and broadcasts are mentions', () => {
    expect(only('<@U0BOB> <#C0DEPLOY|deploys> <!subteam^S0DBA> <!here>').filter((inline) => inline.kind !== 'text')).toEqual([
      { kind: 'user', id: 'U0BOB', label: null },
      { kind: 'channel', id: 'C0DEPLOY', label: 'deploys' },
      { kind: 'group', id: 'S0DBA', label: null },
      { kind: 'broadcast', name: 'here' },
    ])
  })
  test('a link shows its label, or itself', () => {
    expect(only('<https://x.example/?a=1&amp;b=2|the _page_>')).toEqual([
      { kind: 'link', url: 'https://x.example/?a=1&b=2', label: 'the _page_' },
    ])
    expect(only('<mailto:a@x.example>')).toEqual([{ kind: 'link', url: 'mailto:a@x.example', label: 'a@x.example' }])
  })
  test('no other scheme becomes a link', () => {
    expect(only('<javascript:alert(1)|click>')).toEqual([text('<javascript:alert(1)|click>')])
  })
  test('a date carries its format, link and fallback', () => {
    expect(only('<!date^1795165200^{date_short_pretty} at {time}^https://x.example/|later>')).toEqual([
      { kind: 'date', seconds: 1795165200, format: '{date_short_pretty} at {time}', url: 'https://x.example/', fallback: 'later' },
    ])
  })
  test('a comparison is text', () => {
    expect(only('a < 3 and b > 4')).toEqual([text('a < 3 and b > 4')])
  })
})

describe('paragraphs', () => {
  test('quoted lines form one quote, written with > or its entity', () => {
    expect(parseMrkdwn('a\n> b\n&gt; *c*\nd')).toEqual([
      { kind: 'paragraph', children: [text('a')] },
      { kind: 'quote', children: [text('b\n'), { kind: 'bold', children: [text('c')] }] },
      { kind: 'paragraph', children: [text('d')] },
    ])
  })
  test('three angle brackets quote the rest', () => {
    expect(parseMrkdwn('&gt;&gt;&gt; a\nb')).toEqual([{ kind: 'quote', children: [text('a\nb')] }])
  })
  test('a fence keeps spaces and markup as they are', () => {
    expect(parseMrkdwn('before\n```\nselect *\n  from a where b &lt; 3\n```\nafter')).toEqual([
      { kind: 'paragraph', children: [text('before')] },
      { kind: 'preformatted', text: 'select *\n  from a where b < 3' },
      { kind: 'paragraph', children: [text('after')] },
    ])
  })
  test('a fence that never ends is text', () => {
    expect(only('a ``` b')).toEqual([text('a ``` b')])
  })
})

test('only names that exist become emoji', () => {
  expect(only(':white_check_mark: at 02:00: prod')).toEqual([
    { kind: 'emoji', name: 'white_check_mark', glyph: '✅' },
    text(' at 02:00: prod'),
  ])
})

const shown = (inlines: readonly Inline[]): string =>
  inlines.map((inline) => ('children' in inline ? shown(inline.children) : 'text' in inline ? inline.text : '')).join('')
const shownAll = (parts: readonly Paragraph[]): string =>
  parts.map((part) => (part.kind === 'preformatted' ? part.text : shown(part.children))).join('\n')

describe('for every text', () => {
  const soup = fc.array(
    fc.constantFrom('*', '_', '~', '`', '```', '<', '>', '|', '&amp;', '&', ':', '^', '\n', ' ', 'a', '@U0', '!date^1', 'é', '😀'),
    {
      maxLength: 60,
    },
  )
  test('parsing ends without a throw and invents no characters', () => {
    fc.assert(
      fc.property(soup, (pieces) => {
        const source = pieces.join('')
        const visible = shownAll(parseMrkdwn(source))
        expect(visible.length).toBeLessThanOrEqual(source.length)
        expect(
          visible
            .replace(/[\s&]/g, '')
            .split('')
            .every((character) => source.includes(character)),
        ).toBe(true)
      }),
    )
  })
  test('text without markup comes back as it was escaped', () => {
    const plain = fc.string({ unit: 'grapheme' }).map((value) => value.replace(/[*_~`:\n]/g, ' '))
    fc.assert(
      fc.property(plain, (value) => {
        const escaped = `.${value}`.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
        expect(shownAll(parseMrkdwn(escaped))).toBe(`.${value}`)
      }),
    )
  })
  test('words in bold stay those words', () => {
    const words = fc.stringMatching(/^[a-z0-9]+(_[a-z0-9]+)*( [a-z0-9]+(_[a-z0-9]+)*)*$/)
    fc.assert(
      fc.property(words, (value) => {
        expect(only(`*${value}*`)).toEqual([{ kind: 'bold', children: [text(value)] }])
      }),
    )
  })
})
