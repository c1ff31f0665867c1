import { join } from 'node:path'
import { z } from 'zod'
import type { TargetSettings } from '../../config/schema.ts'
import type { MigrationTool } from '../prisma/tool.ts'

/**
 * Plain SQL files, applied by a program of Lockkeeper's own (`migrator.ts`): each file in one transaction with its row of the record, so
 * that a file that fails, or whose migrator is killed, has left nothing.
 */
export function sqlTool(input: {
  readonly url: string
  readonly schema: string
  readonly target: Pick<TargetSettings, 'tool'>
}): MigrationTool {
  const program = (verb: string) => [process.execPath, '--import', WITHOUT_TYPES, join(import.meta.dirname, 'migrator.ts'), verb]
  const none = () => []
  return {
    name: 'Lockkeeper',
    installed: { version: '1', major: 1, atomic: true },
    isAsked: false,
    shown: 'lockkeeper: applying SQL files',
    recordsStart: false,
    leaves: 'nothing',
    commands: {
      version: [],
      status: program('status'),
      deploy: program('deploy'),
      pull: [],
      diff: none,
      diffLive: none,
      resolve: (migration, as) => [...program(as), migration],
    },
    readVersion: () => null,
    readPulled: () => null,
    readStatus: (output) => ({ datasource: null, found: null, failed: [], pending: pendingIn(output) }),
    readDeploy: (output) => ({ datasource: null, complete: /^All migrations are applied\.$/m.test(output) }),
    readable: (output) => output.trim(),
    environment: (session) => ({ [SESSION]: JSON.stringify({ url: input.url, schema: input.schema, ...session }) }),
  }
}

/** Where the migrator finds its database; a variable, since an argument could be read by everybody on the machine. */
const SESSION = 'LOCKKEEPER_SQL_SESSION'

const WITHOUT_TYPES = join(import.meta.dirname, '../../../bin/without-types.mjs')

function pendingIn(output: string): readonly string[] | null {
  const [, json] = /^Pending: (.*)$/m.exec(output) ?? []
  return json === undefined ? null : z.array(z.string()).parse(JSON.parse(json))
}
