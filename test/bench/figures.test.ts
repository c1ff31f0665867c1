import { expect, test } from 'vitest'
import { measurements } from '../../bench/figures.ts'

test('every figure has a name of its own and a unit, as the check of the bench asks for', () => {
  const figures = measurements.flatMap((one) => one.figures)
  expect(figures.filter(({ name, unit }) => name === '' || unit === '')).toEqual([])
  expect(new Set(figures.map(({ name }) => name)).size).toBe(figures.length)
})
