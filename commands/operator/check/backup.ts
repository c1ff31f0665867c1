import type { Target } from '../../../src/config/config.ts'
import { findClients } from '../../../src/backup/providers/clients.ts'
import { TargetConnectionError, withTarget } from '../../../src/database/connect.ts'
import { isRefusal } from '../../../src/lib/refusal.ts'
import type { PlanDeps } from '../../../src/plan/deps.ts'
import { lockFindings, readCapacity } from '../../../src/run/preflight/capacity.ts'
import { ofBackup, readableFindings, standbyFindings } from '../../../src/run/preflight/readable.ts'
import { asPlainText } from '../../../approvals/wording.ts'
import type { Checked } from './checked.ts'

/** What the preflight would say of the backup, long before somebody's approval waits for it. */
export async function checkBackup({ plan }: { readonly plan: PlanDeps }, target: Target): Promise<Checked[]> {
  const what = `${target.name} backup`
  try {
    const url = plan.secret(target.backup.url ?? target.database.url)
    const { serverMajor, findings } = await withTarget({ url, applicationName: 'lockkeeper check' }, async (client) => {
      const { rows } = await client.query<{ version: number }>(`select current_setting('server_version_num')::int as version`)
      return {
        serverMajor: Math.floor((rows[0]?.version ?? 0) / 10_000),
        findings: [
          ...(target.backup.url === undefined ? [] : await standbyFindings(client)),
          ...(await readableFindings(client)),
          ...lockFindings(await readCapacity(client)),
        ],
      }
    })
    const clients = await findClients({ directory: target.backup.clients, serverMajor, env: plan.env, redactor: plan.redactor })
    const found: Checked = isRefusal(clients)
      ? { level: 'bad', what, text: asPlainText(clients.text) }
      : { level: 'good', what, text: `pg_dump ${clients.version} for a server of version ${serverMajor}` }
    return [
      found,
      ...findings.map(({ level, text }): Checked => ({ level: level === 'stop' ? 'bad' : 'note', what, text: asPlainText(text) })),
    ]
  } catch (error) {
    // that the database does not answer stands in the target's own line
    if (target.backup.url === undefined || !(error instanceof TargetConnectionError)) return []
    return [{ level: 'bad', what, text: plan.redactor.text(ofBackup(error).message) }]
  }
}
