import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseSync } from 'oxc-parser'

/** One file imports another of the repository, a type or not. Paths from its root. */
export type Import = { readonly from: string; readonly to: string }

/** The imports of the files among themselves. `import()` counts when its path is written out. */
export function readImports(root: string, files: readonly string[]): readonly Import[] {
  const known = new Set(files)
  return files.flatMap((from) =>
    specifiersOf(from, readFileSync(join(root, from), 'utf8'))
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => ({ from, to: join(dirname(from), specifier) }))
      .filter(({ to }) => known.has(to)),
  )
}

function specifiersOf(name: string, text: string): readonly string[] {
  const { module, errors } = parseSync(name, text)
  if (errors.length > 0) throw new Error(`${name} could not be read: ${errors[0]?.message ?? ''}`)
  return [
    ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) => entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? [])),
    ...module.dynamicImports.map(({ moduleRequest }) => text.slice(moduleRequest.start + 1, moduleRequest.end - 1)),
  ]
}
