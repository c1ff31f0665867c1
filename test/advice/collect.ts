import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** One command that a sentence of the product tells people to type: where, and how it looks with `…` for what is filled in. */
export type Advice = { readonly file: string; readonly shape: string }

/** Every command that stands behind the configured names of the two slash commands, in the source itself. */
export async function advisedCommands(): Promise<readonly Advice[]> {
  const found: Advice[] = []
  for await (const path of glob(['src/**/*.ts', 'commands/**/*.ts', 'approvals/**/*.ts'], { cwd: root })) {
    const source = readFileSync(join(root, path), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
    for (const { index, 0: name } of source.matchAll(NAME)) {
      const rest = source.slice(index + name.length)
      if (!rest.startsWith(' ')) continue
      const shape = shapeOf(rest)
      if (shape !== '') found.push({ file: path, shape: `${/maintenance/.test(name) ? 'maintenance' : 'migrate'} ${shape}` })
    }
  }
  const unique = new Map(found.map((one) => [`${one.file}: ${one.shape}`, one]))
  return [...unique.values()].toSorted((a, b) => (`${a.file} ${a.shape}` < `${b.file} ${b.shape}` ? -1 : 1))
}

/** How the source names the commands. */
const NAME = /\$\{(?:[\w.]+\.)?(?:command|maintenance)\}/g

/** Up to the end of the code or of the literal; interpolations become `…`. */
function shapeOf(source: string): string {
  let shape = ''
  for (let at = 0; at < source.length; at++) {
    if (source.startsWith('${', at)) {
      at = closing(source, at + 2)
      shape += '…'
    } else if (source[at] === '`' || source.startsWith('\\`', at) || source[at] === '\n') break
    else shape += source[at]
  }
  return shape.trim()
}

/** Where the interpolation that begins at `from` ends. */
function closing(source: string, from: number): number {
  let depth = 1
  for (let at = from; at < source.length; at++) {
    if (source[at] === '{') depth++
    if (source[at] === '}' && --depth === 0) return at
  }
  return source.length
}
