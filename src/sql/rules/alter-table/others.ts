import type { AlterTableCmd } from 'libpg-query'
import type { Part, Rule } from '../model/forecast.ts'
import { lockIndexes } from '../changes/dropping.ts'
import { indexesOf, mayBreak, rowsOf, said, type Run } from '../run/run.ts'
import type { Id, Table } from '../schema/model.ts'

/** Settings, storage, rights, triggers, rules. False for what nobody here knows. */
export function alterOther(run: Run, table: Table, { subtype = 'AT_SetOptions', name }: AlterTableCmd): boolean {
  const rule = RULES[subtype]
  if (rule === undefined) return false
  const what = said(run, table.id)
  const hasRows = table.kind === 'r' || table.kind === 'm' // partitions have files of their own
  const about: Partial<Part> =
    NEW_FILE.has(subtype) && hasRows
      ? { rewrites: rowsOf(run, table.id), scans: rowsOf(run, table.id), builds: indexesOf(run, table.id) }
      : {}
  refuseLogging(run, table, subtype)
  if (NEW_FILE.has(subtype)) lockIndexes(run, table.id, 'AccessExclusive')
  if (subtype === 'AT_ChangeOwner') {
    lockIndexes(run, table.id, 'AccessExclusive')
    for (const sequence of run.schema.owned(table.id)) run.lock(sequence, 'AccessExclusive')
  }
  run.part(rule, table.id, { ...about, ...(name === undefined ? {} : { name }), ...compatibility(subtype, what) })
  const now = run.schema.table(table.id)
  if (now !== undefined && subtype.endsWith('RowSecurity'))
    run.schema.change.putTable({
      ...now,
      rowSecurity: subtype !== 'AT_DisableRowSecurity' && (now.rowSecurity || subtype === 'AT_EnableRowSecurity'),
    })
  return true
}

/** A table that survives a crash cannot refer to one that does not. */
function refuseLogging({ schema, fail }: Run, table: Table, subtype: string): void {
  const refers = (id: Id | null, persistence: Table['persistence']) =>
    id !== null && id !== table.id && schema.table(id)?.persistence === persistence
  if (subtype === 'AT_SetUnLogged' && schema.referencing(table.id).some((one) => refers(one.table, 'p')))
    fail('42P16', 'a table that is logged refers to it')
  if (subtype === 'AT_SetLogged' && schema.constraints(table.id).some((one) => refers(one.other, 'u')))
    fail('42P16', 'it refers to a table that is not logged')
}

function compatibility(subtype: string, what: string): Partial<Pick<Part, 'old' | 'new' | 'loses'>> {
  if (subtype === 'AT_EnableRowSecurity' || subtype === 'AT_ForceRowSecurity')
    return { old: mayBreak(`it sees and changes only the rows of ${what} that a policy allows it, none without one`) }
  if (subtype === 'AT_SetUnLogged') return { loses: [`the rows of ${what} whenever the server crashes, and on every standby`] }
  if (subtype === 'AT_ChangeOwner') return { old: mayBreak(`its role may have rights on ${what} only as its owner`) }
  if (/^AT_Disable\w*(Trig|Rule)/.test(subtype)) return { old: mayBreak(`what triggers of ${what} did for it is no longer done`) }
  return {}
}

const NEW_FILE: ReadonlySet<string> = new Set(['AT_SetLogged', 'AT_SetUnLogged', 'AT_SetAccessMethod', 'AT_SetTableSpace'])

const RULES: Readonly<Record<string, Rule>> = {
  AT_SetStatistics: 'change settings',
  AT_SetOptions: 'change settings',
  AT_ResetOptions: 'change settings',
  AT_SetStorage: 'change storage',
  AT_SetCompression: 'change storage',
  AT_ClusterOn: 'change settings',
  AT_DropCluster: 'change settings',
  AT_SetLogged: 'change storage',
  AT_SetUnLogged: 'change storage',
  AT_SetAccessMethod: 'change storage',
  AT_SetTableSpace: 'change storage',
  AT_DropOids: 'change settings',
  AT_SetRelOptions: 'change settings',
  AT_ResetRelOptions: 'change settings',
  AT_ReplaceRelOptions: 'change settings',
  AT_AlterColumnGenericOptions: 'change settings',
  AT_GenericOptions: 'change settings',
  AT_EnableTrig: 'switch trigger',
  AT_EnableAlwaysTrig: 'switch trigger',
  AT_EnableReplicaTrig: 'switch trigger',
  AT_DisableTrig: 'switch trigger',
  AT_EnableTrigAll: 'switch trigger',
  AT_DisableTrigAll: 'switch trigger',
  AT_EnableTrigUser: 'switch trigger',
  AT_DisableTrigUser: 'switch trigger',
  AT_EnableRule: 'switch trigger',
  AT_EnableAlwaysRule: 'switch trigger',
  AT_EnableReplicaRule: 'switch trigger',
  AT_DisableRule: 'switch trigger',
  AT_AddOf: 'change settings',
  AT_DropOf: 'change settings',
  AT_ReplicaIdentity: 'replica identity',
  AT_EnableRowSecurity: 'row security',
  AT_DisableRowSecurity: 'row security',
  AT_ForceRowSecurity: 'row security',
  AT_NoForceRowSecurity: 'row security',
  AT_ChangeOwner: 'change owner',
}
