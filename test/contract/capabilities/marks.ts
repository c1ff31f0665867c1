import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { testFiles } from '../../runner/projects.ts'

/** What the product does with a Prisma. */
export const CAPABILITIES = ['plan', 'review', 'status', 'deploy', 'lock', 'cancel', 'crash', 'resolve', 'drift'] as const
export type Capability = (typeof CAPABILITIES)[number]

export const COLUMNS = ['5.22.0', '6.19.3', '7.10.1', '8.0.0-rc.19'] as const
export type Column = (typeof COLUMNS)[number]

/** Which CLI a test starts. `in turns`: the real one as often as `LOCKKEEPER_TEST_CONTRACT` says, and the recorded one or what is kept otherwise. */
export type Cli = 'always' | 'in turns' | 'recorded' | 'none'

export type Mark = {
  readonly capability: Capability
  readonly columns: readonly Column[]
  /** Below the root of the repository. */
  readonly file: string
  /** With that of the suite around it. */
  readonly title: string
  readonly cli: Cli
}

const root = join(import.meta.dirname, '../../..')

/** Tests say themselves what they prove, in a comment above them: `// proves status: 5.22.0, 6.19.3, 7.10.1`. */
export function readMarks(): readonly Mark[] {
  const others = testFiles().filter((path) => !path.startsWith('contract/capabilities/')) // whose texts only look so
  return others.flatMap((path) => marksIn(`test/${path}`, readFileSync(join(root, 'test', path), 'utf8')))
}

export function marksIn(file: string, text: string): readonly Mark[] {
  const lines = text.split('\n')
  return lines.flatMap((line, at) => {
    const [, indent = '', capability = '', columns = ''] = /^( *)\/\/ proves (\w+): (.+)$/.exec(line) ?? []
    if (capability === '') return []
    const own = titleIn(lines.slice(at + 1))
    const suite = indent === '' ? null : suiteOf(lines, at)
    if (own === null) throw new Error(`${file}: nothing with a title stands below "${line.trim()}"`)
    return {
      capability: oneOf(CAPABILITIES, capability, file),
      columns: columns.split(', ').map((column) => oneOf(COLUMNS, column, file)),
      file,
      title: suite === null ? own : `${suite}: ${own}`,
      cli: cliOf(text),
    }
  })
}

/** The one above; of situations that are listed before they are run, the first that follows. */
function suiteOf(lines: readonly string[], at: number): string | null {
  const suites = lines.flatMap((line, index) => (/^describe\b/.test(line) ? [index] : []))
  const found = suites.findLast((index) => index < at) ?? suites[0]
  return found === undefined ? null : titleIn(lines.slice(found))
}

/** Of the call that begins here, behind its table where it has one, or of the entry in a list of situations. */
function titleIn(lines: readonly string[]): string | null {
  const code = lines.filter((line) => !/^\s*\/\//.test(line))
  const from = code[0]?.endsWith('.each([') === true ? code.findIndex((line) => /^\s*\]/.test(line)) : 0
  const [, ...texts] = TITLE.exec(code.slice(from, from + 4).join('\n')) ?? []
  return texts.find((text) => text !== undefined) ?? null
}

const TEXT = `(?:'((?:[^'\\\\\\n]|\\\\.)+)'|"([^"\\n]+)")`
const TITLE = new RegExp(`^\\s*(?:\\w[\\w.]*\\b[^'"\\n]*\\(\\s*${TEXT}|\\](?: as const)?\\)\\(\\s*${TEXT}|${TEXT}: )`)

/** By what the file uses, so that nobody has to be believed. */
function cliOf(text: string): Cli {
  if (/\buseRealPrisma\(\)/.test(text)) return 'always'
  if (/\b(isRealAsked|expectSame|hear)\(/.test(text)) return 'in turns'
  return /\b(modulesWithPrisma8?|createApplication|scene8?|startFlow|shopModules)\(/.test(text) ? 'recorded' : 'none'
}

function oneOf<T extends string>(all: readonly T[], word: string, file: string): T {
  const found = all.find((one) => one === word)
  if (found === undefined) throw new Error(`${file} proves "${word}", which is none of ${all.join(', ')}`)
  return found
}
