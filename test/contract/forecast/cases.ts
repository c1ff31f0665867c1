import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Major } from '../../helpers/postgres-versions/installed.ts'

/** Statements that belong together, run one after another. */
export type Case = {
  /** How it is named in what is kept: its SQL, and the time zone where that matters. */
  readonly key: string
  readonly sql: string
  /** Of the session. */
  readonly zone: string
  /** The first major that has it. */
  readonly from: number
  /** It cannot run in a transaction. */
  readonly isOutside: boolean
}

const DIRECTORY = join(import.meta.dirname, 'statements')

/** Everything in `statements/`: paragraphs of SQL, some with a line `-- from 18` or `-- zone UTC` before it. */
export const cases = (): readonly Case[] =>
  readdirSync(DIRECTORY)
    .toSorted()
    .flatMap((file) =>
      readFileSync(join(DIRECTORY, file), 'utf8')
        .split(/\n{2,}/)
        .map((paragraph) => caseOf(paragraph.trim(), file)),
    )

export const casesOf = (major: Major): readonly Case[] => cases().filter(({ from }) => from <= major)

function caseOf(paragraph: string, file: string): Case {
  const [, directive, value = '', rest = paragraph] = /^-- (from|zone) (.+)\n([^]+)$/.exec(paragraph) ?? []
  const zone = directive === 'zone' ? value : 'Europe/Berlin'
  return {
    key: directive === 'zone' ? `${rest} -- ${zone}` : rest,
    sql: rest,
    zone,
    from: directive === 'from' ? Number(value) : 0,
    isOutside: file === 'outside.sql',
  }
}
