import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { quoted, tokenize, unescapeSlack } from '../../../commands/parse/tokens.ts'

describe('words of a command', () => {
  test('any words, quoted and joined, come back as they were', () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => text.trim() !== '')
    fc.assert(
      fc.property(fc.array(word), (words) => {
        expect(tokenize(words.map(quoted).join(' '))).toEqual(words)
      }),
    )
  })

  test('any text is either split or refused, never thrown about', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const result = tokenize(text)
        expect(Array.isArray(result) || 'code' in result).toBe(true)
      }),
    )
  })

  test.each([
    ['deploy prod', ['deploy', 'prod']],
    ['  deploy\tprod  ', ['deploy', 'prod']],
    ['--reason "two words"', ['--reason', 'two words']],
    ['--reason “two words”', ['--reason', 'two words']],
    ['--reason „zwei Worte“', ['--reason', 'zwei Worte']],
    ['--reason «deux mots»', ['--reason', 'deux mots']],
    ["--reason 'Friday’s launch'", ['--reason', 'Friday’s launch']],
    ['--reason ‘two words’', ['--reason', 'two words']],
    ['--reason="two words"', ['--reason=two words']],
    ['--reason "say \\"now\\" and \\\\"', ['--reason', 'say "now" and \\']],
    ["Friday's launch", ["Friday's", 'launch']],
    ['--reason ""', ['--reason', '']],
    ['', []],
  ])('%j is split into %j', (text, words) => {
    expect(tokenize(text)).toEqual(words)
  })

  test('a quotation mark that is not closed is named', () => {
    expect(tokenize('deploy prod --reason "because')).toEqual({
      kind: 'refusal',
      code: 'bad_arguments',
      text: 'The quotation mark before `because` is not closed. Put one at the end, for example `--reason "why it is needed"`.',
    })
  })
})

describe('what Slack escaped', () => {
  test.each([
    ['<@U0ALICE|alice>', '@alice'],
    ['<@U0ALICE>', '@U0ALICE'],
    ['<#C1|deploys>', '#deploys'],
    ['<#C1|>', '#C1'],
    ['<http://prod.example|prod.example>', 'prod.example'],
    ['<https://shop.example/x>', 'https://shop.example/x'],
    ['<!here>', 'here'],
    ['<!subteam^S1|@dba>', '@dba'],
    ['a &lt;b&gt; &amp; c', 'a <b> & c'],
    ['&amp;lt;', '&lt;'],
  ])('%j is what was typed: %j', (text, typed) => {
    expect(unescapeSlack(text)).toBe(typed)
  })
})
