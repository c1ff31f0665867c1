import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export type StoreMigration = {
  readonly id: number
  /** What it brings, from the file's name. */
  readonly name: string
  readonly sql: string
  /** Written down where it was applied; the same file must give the same for ever. */
  readonly sha256: string
}

const DIRECTORY = join(import.meta.dirname, 'migrations')

/**
 * The bot's own tables, the truth that people see: `000012-maintenance-windows.sql` and so on, applied once each, in the order of their
 * numbers. Numbers have gaps and are never used again; a file that was released is never edited.
 */
export function storeMigrations(directory: string = DIRECTORY): readonly StoreMigration[] {
  const all = readdirSync(directory)
    .filter((file) => file.endsWith('.sql'))
    .map((file) => readMigration(directory, file))
    .sort((a, b) => a.id - b.id)
  const twice = all.find(({ id }, at) => all[at + 1]?.id === id)
  if (twice !== undefined)
    throw new Error(`Two migrations of the store have the number ${twice.id}: give the newer one the next free number.`)
  return all
}

/** The number of the newest one: what a store of this version stands at. */
export const newestMigration = (): number => storeMigrations().at(-1)?.id ?? 0

function readMigration(directory: string, file: string): StoreMigration {
  const [, number, words] = /^(\d{6})-([a-z0-9]+(?:-[a-z0-9]+)*)\.sql$/.exec(file) ?? []
  if (number === undefined || words === undefined)
    throw new Error(
      `${file} is no name for a migration of the store: six digits, a hyphen and what it brings, as in 000021-what-it-brings.sql.`,
    )
  const sql = readFileSync(join(directory, file), 'utf8').replaceAll('\r\n', '\n') // a checkout may have the line ends of its system
  return { id: Number(number), name: words.replaceAll('-', ' '), sql, sha256: sha256Of(sql) }
}

/** They were once texts inside a module that began with the end of its line; stores know them by the hash of that. */
const sha256Of = (sql: string): string => createHash('sha256').update(`\n${sql}`).digest('hex')
