import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { leadingElsewhere, routeBetween } from '../../../src/plan/prisma8/graph.ts'
import { CUSTOMERS, FIRST, NO_EMAIL, packageOf, PHONE, SECOND, THIRD } from './application.ts'

const real = [CUSTOMERS, NO_EMAIL, PHONE].map(packageOf)
/** `edge('a', 'b')`: from contract a to contract b. */
const edge = (from: string | null, to: string, name = `${from ?? 'empty'}-${to}`, createdAt = '2026-11-30') => ({
  name,
  from,
  to,
  createdAt,
  hash: { written: name, computed: name },
})
const names = (packages: readonly { readonly name: string }[]) => packages.map(({ name }) => name)
const route = (packages: Parameters<typeof routeBetween>[0], from: string | null, to: string) => {
  const found = routeBetween(packages, from, to)
  return found.kind === 'none'
    ? 'none'
    : [found.kind, ...names(found.packages), ...(found.kind === 'several' ? [`or ${found.instead.name}`] : [])]
}

describe('the way from one contract to another', () => {
  test('follows the graph and not the names', () => {
    expect(route(real, null, THIRD)).toEqual(['route', CUSTOMERS, PHONE, NO_EMAIL])
    expect(route(real, FIRST, SECOND)).toEqual(['route', PHONE])
  })

  test('is empty where the database is there already', () => expect(route(real, THIRD, THIRD)).toEqual(['route']))

  test('is not there backwards, from a contract that nobody knows, or on another branch', () => {
    expect(route(real, THIRD, FIRST)).toBe('none')
    expect(route(real, 'other', THIRD)).toBe('none')
    expect(route([edge(null, 'a'), edge('a', 'b'), edge('a', 'c')], 'b', 'c')).toBe('none')
  })

  test('goes around a circle that leads back', () =>
    expect(route([edge('a', 'b'), edge('b', 'a'), edge('b', 'c')], 'a', 'c')).toEqual(['route', 'a-b', 'b-c']))

  test('is told apart from a second one, also between the same two contracts', () => {
    const packages = [edge('a', 'b'), edge('b', 'd'), edge('a', 'c'), edge('c', 'd')]
    expect(route(packages, 'a', 'd')).toEqual(['several', 'a-b', 'b-d', 'or a-c'])
    expect(route([...packages, edge('a', 'd')], 'a', 'd')).toEqual(['several', 'a-d', 'or a-b'])
    const twice = [edge('a', 'b', 'younger', '2026-11-30'), edge('a', 'b', 'older', '2026-11-29')]
    expect(route(twice, 'a', 'b')).toEqual(['several', 'older', 'or younger'])
  })

  test('is a chain that begins and ends where it should, and there is none only where nothing leads', () => {
    const node = fc.constantFrom('a', 'b', 'c', 'd', 'e')
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(node, node), { selector: String, maxLength: 12 }), node, node, (pairs, from, to) => {
        const packages = pairs.map(([a, b]) => edge(a, b))
        const found = routeBetween(packages, from, to)
        const end =
          found.kind === 'none' ? to : found.packages.reduce<string | null>((at, one) => (one.from === at ? one.to : 'broken'), from)
        expect(end).toBe(to)
        expect(found.kind === 'none').toBe(!reachable(packages, from).has(to))
      }),
    )
  })
})

describe('packages that lead elsewhere', () => {
  test('are those that could run from here on and do not end at the contract', () => {
    const packages = [edge(null, 'a'), edge('a', 'b'), edge('a', 'x'), edge('x', 'y')]
    expect(names(leadingElsewhere(packages, 'a', 'b'))).toEqual(['a-x', 'x-y'])
    expect(names(leadingElsewhere(real, SECOND, SECOND))).toEqual([NO_EMAIL])
  })

  test('are not those that lie behind, or lead back', () => {
    expect(names(leadingElsewhere([edge(null, 'a'), edge(null, 'z'), edge('a', 'b'), edge('b', 'a')], 'a', 'b'))).toEqual([])
  })
})

function reachable(packages: readonly { readonly from: string | null; readonly to: string }[], from: string): ReadonlySet<string> {
  const found = new Set([from])
  for (const at of found) for (const one of packages) if (one.from === at) found.add(one.to)
  return found
}
