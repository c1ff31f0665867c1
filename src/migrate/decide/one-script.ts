import { join } from 'node:path'
import { readJson, writeWholeSync } from '../../lib/durable-file.ts'
import { runChild } from '../../process/run-child.ts'
import type { Work } from '../observe/work.ts'

/**
 * Whether the file reached the server as one script, as far as that is known without asking: null when a driver adapter decides it.
 * `adapter` is false only where Prisma says that it has none.
 */
export function knownAsOneScript(file: { readonly sql: string; readonly atomic: boolean; readonly adapter: boolean }): boolean | null {
  // who cuts at semicolons does so in comments and bodies as well, and what follows one there is run
  if (file.sql.split(';').filter((piece) => piece.trim() !== '').length < 2) return true
  return file.atomic ? (file.adapter ? null : true) : false
}

/**
 * A driver adapter is the application's own, and the stock one for `pg` splits a script at every semicolon, whatever the engine does. So it
 * is given one that changes nothing and succeeds in one transaction only. Asked once in a run.
 */
export async function provesOneScript({ workspace, context }: Pick<Work, 'workspace' | 'context'>, failed: string): Promise<boolean> {
  const { base, applicationName, layoutUpTo, environment } = workspace
  const place = join(base, 'one-script.json')
  const known = readJson(place)
  if (known !== null) return known === true
  const { lockTimeout: lockTimeoutMs, statementTimeout: statementTimeoutMs } = context.target.database
  const { exitCode } = await runChild({
    argv: [process.execPath, join(import.meta.dirname, '../prisma/adapter-probe.ts'), PROBE],
    cwd: layoutUpTo(failed),
    env: environment({ applicationName: `${applicationName}-probe`, lockTimeoutMs, statementTimeoutMs }),
    timeoutMs: PROBE_MS,
    redactor: context.redactor,
  })
  writeWholeSync(place, JSON.stringify(exitCode === 0))
  return exitCode === 0
}

const PROBE_MS = 60_000

/** What splits at semicolons breaks the block; what sends statements one by one loses the setting, and 1 / 0 fails. */
const PROBE = `DO $$ BEGIN PERFORM 1; END $$;
SET LOCAL lockkeeper.script = 'one';
SELECT 1 / (current_setting('lockkeeper.script', true) = 'one')::int;
`
