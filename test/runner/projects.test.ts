import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { idlePlaces, projectNames, projectsOf, testFiles } from './projects.ts'

const tests = join(import.meta.dirname, '..')
const files = testFiles()

test('every test file belongs to exactly one project', () => {
  expect(files.flatMap((file) => (projectsOf(file).length === 1 ? [] : [`${file}: ${projectsOf(file).join(' and ') || 'none'}`]))).toEqual(
    [],
  )
  expect(projectNames.filter((name) => !files.some((file) => projectsOf(file)[0] === name))).toEqual([])
})

test('every entry of the table is there for some file', () => {
  expect(idlePlaces(files)).toEqual([])
})

test('the longer of two places counts, and what lies nowhere is in no project', () => {
  expect(projectsOf('faults/walk.test.ts')).toEqual(['faults'])
  expect(projectsOf('faults/proxy.test.ts')).toEqual(['parts'])
  expect(projectsOf('of-nobody.test.ts')).toEqual([])
})

test('a unit test reaches neither PostgreSQL nor another program', () => {
  const units = files.filter((file) => projectsOf(file)[0] === 'unit')
  expect(units.flatMap((file) => forbidden(file).map((what) => `${file} reaches ${what}`))).toEqual([])
})

/** Programs and servers that a test file asks for itself or by a helper; what the product could start is the product's. */
function forbidden(file: string): readonly string[] {
  const [seen, todo, found] = [new Set<string>(), [join(tests, file)], new Set<string>()]
  for (let path = todo.pop(); path !== undefined; path = todo.pop()) {
    if (seen.has(path)) continue
    seen.add(path)
    for (const name of importsOf(path)) {
      if (/^(pg|execa|node:child_process)$/.test(name)) found.add(name)
      const next = join(dirname(path), name)
      if (name.startsWith('.') && !relative(tests, next).startsWith('..') && existsSync(next)) todo.push(next)
    }
  }
  return [...found]
}

const importsOf = (path: string): readonly string[] =>
  [...readFileSync(path, 'utf8').matchAll(/^(?:import|export) (?!type\b)(?:[^'"]*? from )?'([^']+)'/gm)].map((match) => match[1] ?? '')
