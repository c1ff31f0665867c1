import { join } from 'node:path'
import { writeWholeSync } from '../../lib/durable-file.ts'
import type { Workspace } from './prisma-workspace.ts'
import { declaresSame, schemaText } from './schema-text.ts'
import type { MigrationTool, ToolSession } from './tool.ts'

export type Drift = { readonly kind: 'same' | 'not-compared' } | { readonly kind: 'differs'; readonly summary: string }

/**
 * The live schema against the one that the commit describes, without a shadow database: in one start, which a driver adapter does not
 * offer. There the live schema is printed, and only when its text is not the commit's another start says what differs.
 */
export async function compareLive(asked: {
  readonly workspace: Pick<Workspace, 'ask'> & {
    readonly tool: Pick<MigrationTool, 'readPulled'> & { readonly commands: Pick<MigrationTool['commands'], 'diffLive' | 'pull' | 'diff'> }
  }
  readonly cwd: string
  readonly session: ToolSession
  /** Relative to `cwd`. */
  readonly schema: string
  /** Where the live schema may be written down. */
  readonly directory: string
  readonly major: number
  readonly adapter: boolean
}): Promise<Drift> {
  const { workspace, cwd, session, schema, major } = asked
  const { commands, readPulled } = workspace.tool
  const direct = asked.adapter ? null : read(await workspace.ask(commands.diffLive(major), cwd, session))
  if (direct !== null) return direct
  const pulled = await workspace.ask(commands.pull, cwd, session)
  const live = readPulled(pulled.stdout)
  if (pulled.exitCode !== 0 || live === null) return { kind: 'not-compared' }
  if (declaresSame(live, schemaText(join(cwd, schema)))) return { kind: 'same' }
  const path = join(asked.directory, 'live.prisma')
  writeWholeSync(path, live)
  return read(await workspace.ask(commands.diff(path, schema, major), cwd, session)) ?? { kind: 'not-compared' }
}

/** Null when it did not compare: of an older version, refused by the configuration, or when its engine died, which 7 ends with 0 and no word. */
function read({ exitCode, stdout }: { readonly exitCode: number | null; readonly stdout: string }): Drift | null {
  if (exitCode === 0) return /^No difference detected\.$/m.test(stdout) ? { kind: 'same' } : null
  return exitCode === 2 ? { kind: 'differs', summary: stdout.trim() } : null
}
