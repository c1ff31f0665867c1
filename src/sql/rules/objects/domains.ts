import type { AlterDomainStmt } from 'libpg-query'
import { dotted } from '../../effects/names.ts'
import type { Part } from '../model/forecast.ts'
import { distinct } from '../rows/relations.ts'
import { mayBreak, rowsOf, type Run } from '../run/run.ts'
import type { Id, UserType } from '../schema/model.ts'
import { userTypeNamed } from '../schema/types.ts'
import { typeKey } from '../types/type.ts'

/** What is asked of a domain's values is asked of every column that has it, under a lock on each of their tables. */
export function alterDomain(run: Run, { subtype, typeName, name = '', def, missing_ok: isOptional }: AlterDomainStmt): void {
  const { schema } = run
  const shown = dotted(typeName)
  const domain = userTypeNamed(schema, typeName)
  if (domain === undefined) {
    if (schema.knows === 'everything') return run.fail('42704', `there is no domain ${shown}`)
    return run.dontKnow(`it alters the domain ${shown}, and nobody asked which tables use it`)
  }
  const constraint = def !== undefined && 'Constraint' in def ? def.Constraint : undefined
  const isOpen = constraint?.skip_validation === true
  const check = domain.checks.find((one) => one.name === (constraint?.conname ?? name))
  if (subtype === 'C' && check !== undefined) run.fail('42710', `${shown} has a constraint ${check.name} already`)
  if ((subtype === 'V' || subtype === 'X') && check === undefined && isOptional !== true)
    run.fail('42704', `${shown} has no constraint ${name}`)
  const looks = (subtype === 'C' && !isOpen) || (subtype === 'V' && check?.isValid !== true) || (subtype === 'O' && !domain.notNull)
  const scans: Part['scans'][number][] = []
  if (looks || subtype === 'V')
    for (const table of tablesOf(run, domain)) {
      run.lockFamily(table, 'Share')
      if (looks) scans.push(...rowsOf(run, table))
    }
  run.part('alter domain', null, {
    name: shown,
    scans: distinct(scans),
    old: subtype === 'C' || subtype === 'O' ? mayBreak(`it may store values that ${shown} refuses`) : { kind: 'works' },
  })
  schema.change.putType(altered(domain, { subtype, name, isOpen, constraint: constraint?.conname ?? '' }))
}

type Alteration = { readonly subtype: string | undefined; readonly name: string; readonly isOpen: boolean; readonly constraint: string }

function altered(domain: UserType, { subtype, name, isOpen, constraint }: Alteration): UserType {
  switch (subtype) {
    case 'C':
      return { ...domain, checks: [...domain.checks, { name: constraint, isValid: !isOpen, definition: '' }] }
    case 'V':
      return { ...domain, checks: domain.checks.map((one) => (one.name === name ? { ...one, isValid: true } : one)) }
    case 'X':
      return { ...domain, checks: domain.checks.filter((one) => one.name !== name) }
    case 'O':
    case 'N':
      return { ...domain, notNull: subtype === 'O' }
    default:
      return { ...domain, default: subtype === 'T' ? '' : domain.default }
  }
}

/** Also by way of domains that are made of it. */
function tablesOf(run: Run, domain: UserType): readonly Id[] {
  const found = new Set<Id>()
  const open = [domain]
  for (const one of open) {
    for (const { table } of run.schema.users(typeKey(one))) found.add(table)
    for (const other of run.schema.types())
      if (other.kind === 'd' && other.base !== null && typeKey(other.base) === typeKey(one) && !open.includes(other)) open.push(other)
  }
  return [...found]
}
