import type { AlterTableCmd, Node } from 'libpg-query'
import type { Fires } from '../../../database/reactions.ts'
import { partsOf, tableOf, type Table } from '../names.ts'
import type { SessionChange } from '../session.ts'
import { itsOf, otherOf, type Indexed } from './indexed.ts'

/** What the plan itself switches on and off. What may not come to pass leaves what was before possible as well. */
export type Switches = {
  /** To be told of every statement; `isSure` is false where it may not run. */
  readonly passing: (node: Node, isSure: boolean) => void
  readonly onSession: (change: SessionChange) => void
  /** Settings of the session may be gone: a file may also begin in a session of its own. */
  readonly beginsFile: () => void
  readonly fires: (kind: Kind, one: { readonly name: string; readonly fires: Fires }, table?: Table) => boolean
  /** Whether a policy binds, of which the database says that it does or not. */
  readonly binds: (isOff: boolean, table: Table) => boolean
}

/** `foreign key`: its watching over the table that is referred to; `constraint`: itself. */
type Kind = 'trigger' | 'rule' | 'foreign key' | 'constraint' | 'event trigger'
/** One of which the session may have. */
type Roles = readonly ('origin' | 'replica')[]
/** `name` null: all of the table. */
type Switched = {
  readonly kind: Kind | 'security'
  readonly table: Table | null
  readonly name: string | null
  readonly fires: Fires
  readonly isSure: boolean
}

export function createSwitches(
  { heirs }: Pick<Indexed, 'heirs'>,
  { schema, isOneScript }: { readonly schema: string; readonly isOneScript: boolean },
): Switches {
  let switched: Switched[] = []
  let session: Roles = ORIGIN
  let local: Roles | null = null
  let isInBlock = false
  let isRoleSet = false
  let isPathSet = false
  const set = (roles: Roles, isLocal: boolean, isSure: boolean) => {
    const before = local ?? session
    if (isLocal) local = isSure && (isInBlock || isOneScript) ? roles : either(roles, before)
    else {
      session = isSure ? roles : either(roles, session)
      local = null
      if (!isSure) local = either(roles, before)
    }
  }
  /** They share the triggers of their table. */
  const partitions = (table: Table): readonly Table[] =>
    heirs(table.name)
      .filter((one) => one.isPartition && itsOf(table)(one))
      .map(otherOf)
      .flatMap((one) => [one, ...partitions(one)])
  /** Each way in which it may fire by now. */
  const modes = (kind: Switched['kind'], name: string | null, first: Fires, table: Table | undefined): readonly Fires[] => {
    const all = switched
      .filter((one) => one.kind === kind && (one.name === null || one.name === name))
      .flatMap((one) => {
        if (one.table?.name !== table?.name) return []
        if (one.table?.schema === table?.schema) return [one]
        if (one.table?.schema !== null && table?.schema !== null) return []
        const isSame = !isPathSet && (one.table?.schema ?? table?.schema) === schema
        return [isSame ? one : { ...one, isSure: false }]
      })
    const lastSure = all.findLastIndex(({ isSure }) => isSure)
    return [...(lastSure < 0 ? [first] : []), ...all.slice(Math.max(lastSure, 0)).map(({ fires }) => fires)]
  }
  return {
    passing: (node, isSure) => {
      switched.push(...switchedBy(node, partitions).map((one) => ({ ...one, isSure })))
    },
    onSession: (change) => {
      if (change.kind === 'begin') isInBlock = true
      if (change.kind === 'commit' || change.kind === 'rollback') [local, isInBlock] = [null, false]
      if (change.kind === 'rollback' || change.kind === 'rollback_to') {
        switched = switched.map((one) => ({ ...one, isSure: false }))
        session = either(ORIGIN, session)
        local = local === null ? null : either(ORIGIN, local)
      }
      if (change.kind === 'set' && /^(role|session_authorization|row_security)$/.test(change.name)) isRoleSet = true
      if (change.kind === 'set' && change.name === 'session_replication_role') set(rolesOf(change.value), change.isLocal, change.isSure)
      if ('name' in change && change.name === 'search_path') isPathSet = true
      if (change.kind === 'any') set(BOTH, false, false)
      if (change.kind === 'reset' && (change.name === null || change.name === 'session_replication_role'))
        set(ORIGIN, change.isLocal, change.isSure)
      if (change.kind === 'discard') set(ORIGIN, false, true)
    },
    beginsFile: () => {
      session = either(ORIGIN, session)
      local = null
      isInBlock = false
    },
    fires: (kind, one, table) => {
      const roles = local ?? session
      return modes(kind, one.name, one.fires, table).some(
        (mode) => mode === 'always' || ((mode === 'origin' || mode === 'replica') && roles.includes(mode)),
      )
    },
    binds: (isOff, table) => isRoleSet || modes('security', null, isOff ? 'never' : 'always', table).includes('always'),
  }
}

const ORIGIN: Roles = ['origin']
const either = (some: Roles, others: Roles): Roles => [...new Set([...some, ...others])]
const REPLICA: Roles = ['replica']
const BOTH: Roles = ['origin', 'replica']

/** `local` is as `origin` to all of them. */
const rolesOf = (value: string | null): Roles => (value === null ? BOTH : /^replica$/i.test(value.trim()) ? REPLICA : ORIGIN)

function switchedBy(node: Node, partitions: (table: Table) => readonly Table[]): readonly Omit<Switched, 'isSure'>[] {
  if ('AlterTableStmt' in node) {
    const { relation, cmds = [] } = node.AlterTableStmt
    const table = tableOf(relation)
    const one = cmds.flatMap((item) => ('AlterTableCmd' in item ? alteredBy(item.AlterTableCmd) : []))
    const tables = one.length > 0 && relation?.inh === true ? [table, ...partitions(table)] : [table]
    return tables.flatMap((its) => one.map((how) => ({ ...how, table: its })))
  }
  if ('AlterEventTrigStmt' in node) {
    const { trigname: name = '', tgenabled = '' } = node.AlterEventTrigStmt
    return [{ kind: 'event trigger', table: null, name, fires: ENABLED[tgenabled] ?? 'never' }]
  }
  if (!('DropStmt' in node)) return []
  const { removeType, objects = [] } = node.DropStmt
  const kind = DROPPED[removeType ?? '']
  if (kind === undefined) return []
  return objects.flatMap((item) => {
    const [name = '', table, its = null] = ('List' in item ? partsOf(item.List.items) : partsOf([item])).toReversed()
    return [{ kind, table: table === undefined ? null : { schema: its, name: table }, name, fires: 'never' }]
  })
}

const DROPPED: Readonly<Record<string, Kind>> = { OBJECT_TRIGGER: 'trigger', OBJECT_RULE: 'rule', OBJECT_EVENT_TRIGGER: 'event trigger' }
const ENABLED: Readonly<Record<string, Fires>> = { O: 'origin', A: 'always', R: 'replica' }

function alteredBy({ subtype = 'AT_AddColumn', name: written }: AlterTableCmd): readonly Omit<Switched, 'table' | 'isSure'>[] {
  const name = written ?? null
  const [, word = '', which = ''] = /^AT_(Enable|Disable|EnableAlways|EnableReplica)(Trig|TrigAll|TrigUser|Rule)$/.exec(subtype) ?? []
  if (which !== '') {
    const fires = FIRES[word] ?? 'never'
    if (which === 'Rule') return [{ kind: 'rule', name, fires }]
    const triggers = { kind: 'trigger', name: which === 'Trig' ? name : null, fires } as const
    return which === 'TrigAll' ? [triggers, { kind: 'foreign key', name: null, fires }] : [triggers]
  }
  if (subtype === 'AT_DropConstraint') return [{ kind: 'constraint', name, fires: 'never' }]
  if (subtype === 'AT_EnableRowSecurity' || subtype === 'AT_ForceRowSecurity') return [{ kind: 'security', name: null, fires: 'always' }]
  return subtype === 'AT_DisableRowSecurity' ? [{ kind: 'security', name: null, fires: 'never' }] : []
}

const FIRES: Readonly<Record<string, Fires>> = { Enable: 'origin', EnableAlways: 'always', EnableReplica: 'replica' }
