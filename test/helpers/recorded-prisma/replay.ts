import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readCatalogue } from './catalogue.ts'
import { openEngine } from './engine.ts'
import { Told } from './faults.ts'
import { placed } from './placed.ts'
import { askReal, type Answer } from './real.ts'
import { sha256, type Command, type Situation } from './situation.ts'
import { err, out } from './words.ts'

/**
 * `db pull`, and a comparison with what is live, say what follows from the catalogue and the schema file, and nothing else: what the real CLI once said to both is said again.
 * A catalogue that it was never asked about is its own business.
 */
export async function ofCatalogue(situation: Situation, kind: 'pull' | 'diff-live'): Promise<number | 'unknown'> {
  try {
    const engine = await openEngine(situation, { name: '', at: '' })
    if (engine === 'unknown') return 'unknown'
    try {
      const catalogue = await readCatalogue(engine, situation.inSchema ? situation.schema : 'public')
      return replay(kind, [String(situation.inSchema), situation.schema, situation.schemaPath, situation.schemaText, catalogue])
    } finally {
      await engine.close()
    }
  } catch (error) {
    if (error instanceof Told) return 'unknown'
    throw error
  }
}

/** `migrate diff` of two schema files asks no database. */
export async function diff(situation: Situation, { from, to }: Extract<Command, { readonly kind: 'diff' }>): Promise<number | 'unknown'> {
  return replay('diff', [String(situation.inSchema), textOf(from), textOf(to)])
}

const textOf = (path: string): string => readFileSync(path, 'utf8')

function replay(kind: string, inputs: readonly string[]): number | 'unknown' {
  const path = join(placed().recordings, `${kind}-${sha256(JSON.stringify(inputs)).slice(0, 20)}.recording`)
  const answer = recorded(path) ?? (placed().isRecording ? record(path) : null)
  if (answer === null) return 'unknown'
  for (const [stream, text] of answer.chunks) (stream === 'out' ? out : err)(text)
  return answer.exitCode
}

function recorded(path: string): Answer | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Answer
  } catch {
    return null
  }
}

function record(path: string): Answer {
  const answer = askReal()
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify(answer, null, 1)}\n`)
  return answer
}
