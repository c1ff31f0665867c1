import type { Config } from './config.ts'
import { connect, markerOrFault } from './database.ts'
import { EMPTY, shownEdge, wayBetween, type Migration } from './packages.ts'
import { finish, succeed } from './say.ts'

/** Reads the marker alone, and no operation: what was tampered with is still shown. */
export async function show(config: Config, migrations: readonly Migration[], to: string): Promise<void> {
  const client = await connect(config, 'migrate --show')
  const from = (await markerOrFault(client))?.core ?? EMPTY
  await client.end()
  const way = wayBetween(migrations, from, to)
  if (way === null)
    finish('db.migrate', {
      code: 'MIGRATION.PATH_UNREACHABLE',
      summary: `No migration path from ${from.slice(0, 14)} to ${to.slice(0, 14)} in space "app".`,
      why: 'The migration graph has no path from the from-state to the target in space "app".',
      nextActions: [
        { kind: 'run-command', label: 'Plan the missing edge', command: 'prisma migration plan' },
        { kind: 'run-command', label: 'Apply it', command: 'prisma db migrate' },
        ...UNREACHABLE,
      ],
      meta: { spaceId: 'app', from, to },
    })
  const summary =
    way.length === 0 ? 'Already up to date — nothing to run' : `${way.length} ${way.length === 1 ? 'migration' : 'migrations'} will run`
  succeed('db.migrate', { ok: true, migrations: way.map(shownEdge), summary })
}

export const UNREACHABLE = [
  {
    kind: 'user-choice',
    label: 'A rollback (reverse) plan is expected to contain destructive (DROP) operations — review them before applying',
  },
  {
    kind: 'user-choice',
    label:
      'Narrower cases (rename inference, re-adding a required field without a safe default, or a type change that needs data) may additionally need a hint in the planned migration',
  },
  { kind: 'run-command', label: 'Inspect the on-disk graph', command: 'prisma migration list' },
  { kind: 'run-command', label: 'Inspect a bundle in the path you expected', command: 'prisma migration show <bundle>' },
]
