import type { Node } from 'libpg-query'
import type { Catalogue } from '../../database/catalogue/catalogue.ts'
import type { Parser } from '../effects/parser.ts'
import type { Forecast } from './model/forecast.ts'
import { createRun, type Session } from './run/run.ts'
import { createSchema } from './schema/schema.ts'
import { settle } from './session.ts'
import { forecastStatement } from './statement.ts'

/** A file as `readScript` reads it; `starts` are in bytes of `content`. */
export type ScriptToForecast = {
  readonly content: Buffer
  readonly statements: readonly Node[]
  readonly texts: readonly string[]
  readonly starts: readonly number[]
}

/** What the files of a plan will do, one after another: a list for each file, with one forecast for each of its statements. */
export function forecasts(files: readonly ScriptToForecast[], catalogue: Catalogue, parser: Parser): readonly (readonly Forecast[])[] {
  const schema = createSchema(catalogue)
  const session: Session = { prepared: new Map(), marks: [] }
  let statement = 0
  return files.map((file) => {
    settle({ schema, session })
    const lineAt = lines(file)
    return file.statements.map((node, at) => {
      const text = file.texts[at] ?? ''
      const { run, found } = createRun({
        schema,
        parser,
        session,
        statement: ++statement,
        reading: { depth: 0, routines: new Set(), isSure: true },
        text,
        follow: forecastStatement,
      })
      forecastStatement(run, node, text)
      const { line, sql } = lineAt(at)
      return { line, sql, ...found() }
    })
  })
}

/** Counts on from the statement before, so that a long file is read once. */
function lines({ content, texts, starts }: ScriptToForecast): (at: number) => { readonly line: number; readonly sql: string } {
  let [line, position] = [1, 0]
  return (at) => {
    const [start, text = ''] = [starts[at] ?? position, texts[at]]
    line += breaksIn(content.subarray(position, start).toString('latin1'))
    position = start
    const lead = LEAD.exec(text)?.[0] ?? ''
    return { line: line + breaksIn(lead), sql: text.slice(lead.length).trimEnd() }
  }
}

const breaksIn = (text: string): number => text.split('\n').length - 1

/** What stands before a statement may belong to it. */
const LEAD = /^(?:\s+|--.*(?:\n|$)|\/\*[^]*?\*\/)*/
