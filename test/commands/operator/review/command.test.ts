import { expect, test } from 'vitest'
import { readReviewCommand, REVIEW_USAGE } from '../../../../commands/operator/review/command.ts'

const read = (words: string) => readReviewCommand(words === '' ? [] : words.split(' '))
const why = (words: string) => {
  const command = read(words)
  return typeof command === 'string' ? command.replace(`\n${REVIEW_USAGE}`, '') : 'it is understood'
}

test('a directory, files and ranges of commits are told apart', () => {
  const what = (words: string) => {
    const command = read(words)
    return typeof command === 'string' ? command : command.what
  }
  expect(what('prisma/migrations')).toEqual({ kind: 'paths', paths: ['prisma/migrations'] })
  expect(what('a.sql b.sql')).toEqual({ kind: 'paths', paths: ['a.sql', 'b.sql'] })
  expect(what('../other/migrations')).toEqual({ kind: 'paths', paths: ['../other/migrations'] })
  expect(what('a/../b')).toEqual({ kind: 'paths', paths: ['a/../b'] })
  expect(what('main..HEAD')).toEqual({ kind: 'range', range: 'main..HEAD', below: [] })
  expect(what('origin/main...HEAD prisma')).toEqual({ kind: 'range', range: 'origin/main...HEAD', below: ['prisma'] })
  expect(what('v1.2..v1.3')).toEqual({ kind: 'range', range: 'v1.2..v1.3', below: [] })
})

test('it asks a database by the name of a variable, a target, or nobody', () => {
  expect(read('x --database env:DATABASE_URL --format sarif')).toMatchObject({
    by: { kind: 'database', variable: 'DATABASE_URL' },
    format: 'sarif',
  })
  expect(read('x --target prod --format=github')).toMatchObject({ by: { kind: 'target', name: 'prod' }, format: 'github' })
  expect(read('x')).toMatchObject({ by: { kind: 'assumption' }, format: 'text' })
})

test('what is mistyped is told with how it is typed', () => {
  expect(read('')).toBe(`It needs a directory, files or a range of commits such as main..HEAD. Nothing was reviewed.\n${REVIEW_USAGE}`)
  expect(why('x --format json')).toBe('It can print text, github, sarif, markdown, and not json. Nothing was reviewed.')
  expect(why('x --fromat text')).toBe('--fromat is no option of it. Nothing was reviewed.')
  expect(why('x --target')).toBe('--target needs a value after it. Nothing was reviewed.')
  expect(why('x --target --format')).toBe('--target needs a value after it. Nothing was reviewed.')
  expect(why('x --target a --target b')).toBe('--target is there twice. Nothing was reviewed.')
  expect(why('x --target a --database env:B')).toBe('It asks one database: --database or --target. Nothing was reviewed.')
  expect(why('x --database postgresql://u:p@h/d')).toBe(
    '--database takes env:NAME, the name of a variable that holds the URL, so that no password stands in a command. Nothing was reviewed.',
  )
})
