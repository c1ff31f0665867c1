import { expect, test } from 'vitest'
import { projectsOf, testFiles } from '../runner/projects.ts'
import { catalogue } from './catalogue.ts'
import { CHOSEN, filesInShare, inShare, shareOf, walkLength } from './shares.ts'

const files = testFiles().filter((file) => projectsOf(file)[0] === 'faults')
const names = catalogue.map(({ name }) => name)
const shares = [shareOf('chosen'), shareOf('1/3'), shareOf('2/3'), shareOf('3/3')]

test('the chosen faults and the three thirds are every fault of the catalogue, each once', () => {
  expect(shares.flatMap((share) => inShare(share, names)).toSorted()).toEqual(names.toSorted())
})

test('every file of the faults is begun within three landings', () => {
  expect([...new Set(shares.flatMap((share) => filesInShare(share, files)))].toSorted()).toEqual(files.toSorted())
})

test('ten tests are chosen, at least one of each kind, and each is there', () => {
  expect(CHOSEN.filter((name) => !names.includes(name) && !files.includes(name))).toEqual([])
  expect(CHOSEN).toHaveLength(9) // faults/approval.test.ts holds two
  expect(new Set(catalogue.filter(({ name }) => CHOSEN.includes(name)).map(({ kind }) => kind))).toEqual(
    new Set(catalogue.map(({ kind }) => kind)),
  )
})

test('the thirds are of one size', () => {
  const sizes = shares.slice(1).map((share) => inShare(share, names).length)
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
})

test('all is what nobody restricted; the walk is short in each third, and npm test leaves it out', () => {
  expect([shareOf(undefined), inShare('all', names), filesInShare('all', files).length]).toEqual(['all', names, files.length])
  expect([walkLength('all'), walkLength(2)]).toEqual([20, 2])
  expect(shares.map((share) => filesInShare(share, files).includes('faults/walk.test.ts'))).toEqual([false, true, true, true])
  expect(() => shareOf('half')).toThrow('FAULTS is half; it can be chosen, 1/3, 2/3, 3/3 or all')
})
