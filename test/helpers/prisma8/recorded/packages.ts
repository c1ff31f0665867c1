import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { migrationHashOf } from '../../../../src/plan/prisma8/package.ts'
import { finish } from './say.ts'

export type Check = { readonly description: string; readonly sql: string; readonly params?: readonly unknown[] }
export type Operation = {
  readonly id: string
  readonly label: string
  readonly operationClass: string
  readonly precheck: readonly Check[]
  readonly execute: readonly Check[]
  readonly postcheck: readonly Check[]
}

export type Migration = {
  readonly dirName: string
  readonly from: string
  readonly to: string
  readonly migrationHash: string
  readonly createdAt: string
  readonly computed: string
  readonly operations: readonly Operation[]
}

export const EMPTY = 'empty'

export function readMigrations(directory: string): readonly Migration[] {
  const place = join(directory, 'app')
  const names = existsSync(place) ? readdirSync(place).filter((name) => existsSync(join(place, name, 'migration.json'))) : []
  return names.map((dirName) => {
    const read = (file: string): unknown => JSON.parse(readFileSync(join(place, dirName, file), 'utf8'))
    const metadata = read('migration.json') as Omit<Migration, 'dirName' | 'computed' | 'operations'> & { readonly from: string | null }
    const operations = read('ops.json') as Migration['operations']
    const { to, migrationHash, createdAt } = metadata
    return {
      dirName,
      from: metadata.from ?? EMPTY,
      to,
      migrationHash,
      createdAt,
      computed: migrationHashOf(metadata, operations),
      operations,
    }
  })
}

/** Only before it migrates, and before it connects. */
export function checkHashes(migrations: readonly Migration[], directory: string): void {
  const wrong = migrations.filter(({ migrationHash, computed }) => migrationHash !== computed)
  const [first] = wrong
  if (first === undefined) return
  finish('db.migrate', {
    code: 'MIGRATION.CONTRACT_SPACE_VIOLATION',
    summary: 'Contract-space integrity failure for "app"',
    why: `Migration "${first.dirName}" stored hash "${first.migrationHash}" does not match computed hash "${first.computed}".`,
    nextActions: [
      {
        kind: 'user-choice',
        label: `Re-emit the affected migration package(s) or restore the on-disk \`${directory}\` directory from version control.`,
      },
    ],
    meta: {
      violations: wrong.map(({ dirName, migrationHash, computed }) => ({
        kind: 'hashMismatch',
        spaceId: 'app',
        dirName,
        stored: migrationHash,
        computed,
      })),
    },
  })
}

/** The fewest packages, of equals the oldest; null when there is no way. */
export function wayBetween(migrations: readonly Migration[], from: string, to: string): readonly Migration[] | null {
  const ways = new Map<string, readonly Migration[]>([[from, []]])
  for (const [at, way] of ways) {
    if (at === to) return way
    for (const one of migrations.toSorted((a, b) => a.createdAt.localeCompare(b.createdAt)))
      if (one.from === at && !ways.has(one.to)) ways.set(one.to, [...way, one])
  }
  return null
}

export const shownEdge = ({ dirName, migrationHash, from, to }: Migration) => ({ spaceId: 'app', dirName, migrationHash, from, to })
