import { dirname } from 'node:path'
import type { Import } from './imports.ts'

export type Measured = {
  readonly rooms: number
  /** Pairs of folders of which one imports the other. */
  readonly arrows: number
  /** Those of them that run against all others, in the order of folders that has fewest of them. */
  readonly backUp: readonly string[]
  /** Groups of files that import each other, types included. */
  readonly circles: readonly (readonly string[])[]
  /** Files that lie in `src/` itself. */
  readonly loose: readonly string[]
  readonly crowded: readonly string[]
  readonly long: readonly string[]
}

/** `lines`: of each file. `most`: files a folder, lines a file. */
export function measure(
  lines: ReadonlyMap<string, number>,
  imports: readonly Import[],
  most: { readonly files: number; readonly lines: number },
): Measured {
  const files = [...lines.keys()]
  const folders = Map.groupBy(files, (file) => dirname(file))
  const arrows = Map.groupBy(
    imports.filter(({ from, to }) => dirname(from) !== dirname(to)),
    ({ from, to }) => `${dirname(from)} -> ${dirname(to)}`,
  )
  return {
    rooms: folders.size,
    arrows: arrows.size,
    backUp: againstAll([...arrows].map(([arrow, all]) => ({ arrow, weight: all.length }))),
    circles: circlesOf(files, imports),
    loose: files.filter((file) => dirname(file) === 'src'),
    crowded: [...folders].filter(([, inside]) => inside.length > most.files).map(([folder, inside]) => `${folder}: ${inside.length} files`),
    long: [...lines].filter(([, count]) => count > most.lines).map(([file, count]) => `${file}: ${count} lines`),
  }
}

/**
 * Folders are laid in a row, always taking one that nobody else needs (or, where there is none, the one with most to lose), as in the
 * heuristic of Eades, Lin and Smyth for feedback arcs; what then points backwards is named.
 */
function againstAll(arrows: readonly { readonly arrow: string; readonly weight: number }[]): readonly string[] {
  const edges = arrows.map(({ arrow, weight }) => ({ arrow, ends: arrow.split(' -> '), weight }))
  const left = new Set(edges.flatMap(({ ends }) => ends).toSorted())
  const top: string[] = []
  const bottom: string[] = []
  const weightOf = (folder: string, end: 0 | 1) =>
    edges.reduce(
      (sum, { ends, weight }) => (ends[end] === folder && ends[1 - end] !== folder && left.has(ends[1 - end] ?? '') ? sum + weight : sum),
      0,
    )
  while (left.size > 0) {
    const sink = [...left].find((folder) => weightOf(folder, 0) === 0)
    const source = sink ?? [...left].find((folder) => weightOf(folder, 1) === 0)
    const next = source ?? [...left].toSorted((a, b) => weightOf(b, 0) - weightOf(b, 1) - (weightOf(a, 0) - weightOf(a, 1)))[0] ?? ''
    left.delete(next)
    if (sink === undefined) top.push(next)
    else bottom.unshift(next)
  }
  const rank = new Map([...top, ...bottom].map((folder, index) => [folder, index]))
  return edges.filter(({ ends: [from = '', to = ''] }) => (rank.get(from) ?? 0) > (rank.get(to) ?? 0)).map(({ arrow }) => arrow)
}

/** Strongly connected groups of more than one file, by Tarjan's algorithm. */
export function circlesOf(files: readonly string[], imports: readonly Import[]): readonly (readonly string[])[] {
  const targets = Map.groupBy(imports, ({ from }) => from)
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const circles: string[][] = []
  const visit = (file: string) => {
    index.set(file, index.size)
    low.set(file, index.get(file) ?? 0)
    stack.push(file)
    for (const { to } of targets.get(file) ?? []) {
      if (!index.has(to)) visit(to)
      if (stack.includes(to)) low.set(file, Math.min(low.get(file) ?? 0, low.get(to) ?? 0))
    }
    if (low.get(file) !== index.get(file)) return
    const circle = stack.splice(stack.indexOf(file))
    if (circle.length > 1) circles.push(circle.toSorted())
  }
  for (const file of files) if (!index.has(file)) visit(file)
  return circles
}
