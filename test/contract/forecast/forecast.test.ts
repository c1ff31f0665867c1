import { beforeAll, expect, test } from 'vitest'
import { compareAll, differing, figures, type Compared } from './figures.ts'
import { stronger } from './stronger.ts'

let all: readonly Compared[]

beforeAll(async () => {
  all = await compareAll()
})

const lines = (kind: 'weaker' | 'stronger' | 'unknown') => [...differing(all, kind)].map(([line, majors]) => `${majors} | ${line}`)

test('on no major from 14 to 18 is anything forecast weaker than what happens', () => {
  expect(lines('weaker')).toEqual([])
})

test('what is forecast stronger is known, with a reason for each', () => {
  const told = stronger.flatMap(({ of }) => of.map(([majors, key, differs]) => `${majors} | ${key} => ${differs}`))
  expect(lines('stronger').toSorted()).toEqual(told.toSorted())
})

test('what nobody knows is said to be so, and counts as breaking', () => {
  expect(lines('unknown')).toEqual(
    ['drop extension citext;', 'reassign owned by current_user to current_user;', 'call absent();'].map((key) => `14 15 16 17 18 | ${key}`),
  )
})

test('the figures of each major', () => {
  expect(figures(all)).toMatchInlineSnapshot(`
    " PostgreSQL statements      right   stronger    unknown     weaker
             14        820        769         48          3          0
             15        824        775         46          3          0
             16        824        770         51          3          0
             17        825        771         51          3          0
             18        845        791         51          3          0"
  `)
})
