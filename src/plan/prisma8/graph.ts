import type { Package } from './package.ts'

type Edge = Pick<Package, 'name' | 'from' | 'to' | 'createdAt' | 'hash'>

/** How a database gets from the contract that it has (null: nothing) to the one that the commit describes. */
export type Route<E extends Edge> =
  | { readonly kind: 'route'; readonly packages: readonly E[] }
  | { readonly kind: 'none' }
  /** Prisma would take `packages`, the shortest; `instead` is the first package of another way. */
  | { readonly kind: 'several'; readonly packages: readonly E[]; readonly instead: E }

/** As `prisma db migrate` goes: the fewest packages, of equals the oldest. Pure. */
export function routeBetween<E extends Edge>(packages: readonly E[], from: string | null, to: string | null): Route<E> {
  const route = shortest(packages, from, to)
  if (route === null) return { kind: 'none' }
  for (const left of route) {
    const other = shortest(
      packages.filter((one) => one !== left),
      from,
      to,
    )
    const instead = other?.find((one) => !route.includes(one))
    if (instead !== undefined) return { kind: 'several', packages: route, instead }
  }
  return { kind: 'route', packages: route }
}

/** Packages that could run from here on and from which nothing leads to the contract: work that would be left out without a word. */
export function leadingElsewhere<E extends Edge>(packages: readonly E[], from: string | null, to: string | null): readonly E[] {
  const ahead = reached(from, (node) => packages.filter((one) => one.from === node).map((one) => one.to))
  const towards = reached(to, (node) => packages.filter((one) => one.to === node).map((one) => one.from))
  return packages.filter((one) => ahead.has(one.from) && !towards.has(one.to))
}

function shortest<E extends Edge>(packages: readonly E[], from: string | null, to: string | null): readonly E[] | null {
  const ways = new Map<string | null, readonly E[]>([[from, []]])
  for (const [node, way] of ways) {
    if (node === to) return way
    for (const edge of packages.filter((one) => one.from === node).toSorted(byAge))
      if (!ways.has(edge.to)) ways.set(edge.to, [...way, edge]) // a map goes on to what is added meanwhile
  }
  return null
}

const byAge = (a: Edge, b: Edge): number =>
  a.createdAt.localeCompare(b.createdAt) || a.to.localeCompare(b.to) || a.hash.written.localeCompare(b.hash.written)

function reached(start: string | null, next: (node: string | null) => readonly (string | null)[]): ReadonlySet<string | null> {
  const found = new Set([start])
  for (const node of found) for (const one of next(node)) found.add(one)
  return found
}
