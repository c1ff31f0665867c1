import type { Node, VariableSetStmt } from 'libpg-query'
import type { Call } from './calls.ts'

/** What a statement does to the session that runs it, beyond tables and rows. */
export type SessionChange =
  /** `value`: null when it is computed. `isLocal`: until the transaction ends. `isSure`: false where a block may take another way. */
  | { readonly kind: 'set'; readonly name: string; readonly value: string | null; readonly isLocal: boolean; readonly isSure: boolean }
  /** `name`: null for all but those that RESET ALL leaves alone. */
  | { readonly kind: 'reset'; readonly name: string | null; readonly isLocal: boolean; readonly isSure: boolean }
  /** By a name that is computed. */
  | { readonly kind: 'any'; readonly isSure: boolean }
  /** `DISCARD ALL`. */
  | { readonly kind: 'discard' }
  /** The locks of the session, Prisma's own among them. */
  | { readonly kind: 'unlock' }
  | { readonly kind: 'begin' | 'commit' | 'rollback' }
  | { readonly kind: 'savepoint' | 'rollback_to'; readonly name: string }
  /** For sessions that begin later: `the database shop`, `the role app`. */
  | { readonly kind: 'stored'; readonly whose: string; readonly name: string | null }

export function sessionChanges(node: Node): readonly SessionChange[] {
  if ('VariableSetStmt' in node) return variable(node.VariableSetStmt)
  // its rule sets what the rows say
  if ('UpdateStmt' in node && node.UpdateStmt.relation?.relname === 'pg_settings') return [{ kind: 'any', isSure: true }]
  if ('DiscardStmt' in node) return node.DiscardStmt.target === 'DISCARD_ALL' ? [{ kind: 'discard' }] : []
  if ('AlterDatabaseSetStmt' in node) {
    const { dbname = '', setstmt } = node.AlterDatabaseSetStmt
    return [{ kind: 'stored', whose: `the database ${dbname}`, name: setstmt?.name ?? null }]
  }
  if ('AlterRoleSetStmt' in node) {
    const { role, database, setstmt } = node.AlterRoleSetStmt
    const whose =
      role?.rolename === undefined ? (role === undefined ? 'every role' : 'the role of the session') : `the role ${role.rolename}`
    return [
      { kind: 'stored', whose: `${whose}${database === undefined ? '' : ` in the database ${database}`}`, name: setstmt?.name ?? null },
    ]
  }
  if ('TransactionStmt' in node) {
    const { kind, savepoint_name: name = '' } = node.TransactionStmt
    if (kind === 'TRANS_STMT_BEGIN' || kind === 'TRANS_STMT_START') return [{ kind: 'begin' }]
    if (kind === 'TRANS_STMT_COMMIT') return [{ kind: 'commit' }]
    if (kind === 'TRANS_STMT_ROLLBACK') return [{ kind: 'rollback' }]
    if (kind === 'TRANS_STMT_SAVEPOINT') return [{ kind: 'savepoint', name }]
    return kind === 'TRANS_STMT_ROLLBACK_TO' ? [{ kind: 'rollback_to', name }] : []
  }
  return []
}

/** By functions that are called now. */
export const calledSessionChanges = (calls: readonly Call[]): readonly SessionChange[] =>
  calls.flatMap(({ name, shown, args }) => {
    if (/^pg_advisory_unlock(_all)?$/.test(name)) return [{ kind: 'unlock' }]
    return shown === 'set_config' ? [configured(args)] : []
  })

function configured([name, value, local]: readonly Node[]): SessionChange {
  const variable = textOf(name)
  const isLocal = textOf(local)
  if (isLocal !== null && /^(on|true|t|yes|1)$/i.test(isLocal))
    return { kind: 'set', name: variable ?? '', value: textOf(value), isLocal: true, isSure: true }
  const isSure = isLocal !== null
  if (variable === null) return { kind: 'any', isSure }
  return { kind: 'set', name: variable.toLowerCase(), value: textOf(value), isLocal: false, isSure }
}

function variable({ kind, name: written = '', args = [], is_local: local }: VariableSetStmt): readonly SessionChange[] {
  const name = written.toLowerCase()
  const isLocal = local === true
  const base = { isLocal, isSure: true } as const
  if (kind === 'VAR_RESET_ALL') return [{ kind: 'reset', name: null, ...base }]
  if (kind === 'VAR_RESET' || kind === 'VAR_SET_DEFAULT') return [{ kind: 'reset', name, ...base }]
  if (kind === 'VAR_SET_MULTI')
    return name === 'session characteristics'
      ? args.flatMap((item) =>
          'DefElem' in item
            ? [{ kind: 'set' as const, name: `default_${item.DefElem.defname ?? ''}`, value: switched(textOf(item.DefElem.arg)), ...base }]
            : [],
        )
      : [] // SET TRANSACTION ends with it
  if (kind !== 'VAR_SET_VALUE') return []
  const values = args.map(textOf)
  return [{ kind: 'set', name, value: values.includes(null) ? null : values.join(', '), ...base }]
}

const switched = (text: string | null): string | null => (text === '1' ? 'on' : text === '0' ? 'off' : text)

/** Of a constant; null for anything else. */
function textOf(node: Node | undefined): string | null {
  if (node === undefined) return null
  if ('TypeCast' in node) return textOf(node.TypeCast.arg)
  if (!('A_Const' in node)) return null
  const { sval, ival, fval, boolval } = node.A_Const
  if (sval !== undefined) return sval.sval ?? ''
  if (boolval !== undefined) return boolval.boolval === true ? 'on' : 'off'
  if (fval !== undefined) return fval.fval ?? ''
  return ival === undefined ? null : String(ival.ival ?? 0)
}
