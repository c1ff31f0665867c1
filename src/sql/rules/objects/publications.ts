import type { AlterPublicationStmt, CreatePublicationStmt, DropStmt, Node } from 'libpg-query'
import { partsOf, tableOf } from '../../effects/names.ts'
import { columnNamesIn } from '../rows/expressions.ts'
import { mayBreak, type Run } from '../run/run.ts'
import type { Publication } from '../schema/model.ts'
import { tableNamed } from '../schema/resolve.ts'

export function createPublication(run: Run, { pubname = '', pubobjects = [], for_all_tables: isForAll }: CreatePublicationStmt): void {
  run.part('publication', null, { name: pubname, isNew: true })
  run.schema.change.putPublication({
    name: pubname,
    allTables: isForAll === true,
    schemas: schemasIn(pubobjects),
    tables: tablesIn(run, pubobjects),
  })
}

export function alterPublication(run: Run, { pubname = '', pubobjects = [], action }: AlterPublicationStmt): void {
  const { schema } = run
  const found = [...schema.publications()].find(({ name }) => name === pubname)
  if (found === undefined && schema.knows === 'everything') run.fail('42704', `there is no publication ${pubname}`)
  const named = tablesIn(run, pubobjects)
  const isReplaced = action === 'AP_SetObjects' && pubobjects.length > 0
  if (isReplaced) for (const { table } of found?.tables ?? []) run.lock(table, 'ShareUpdateExclusive')
  run.part('publication', null, {
    name: pubname,
    ...(action === 'AP_AddObjects' ? {} : { old: mayBreak(`what reads the publication ${pubname} gets other rows than before`) }),
  })
  if (found === undefined) return
  const others = found.tables.filter((one) => !named.some(({ table }) => table === one.table))
  const tables = action === 'AP_DropObjects' ? others : isReplaced ? named : [...others, ...named]
  schema.change.putPublication({ ...found, tables })
}

export function dropPublications(run: Run, { objects = [], missing_ok: isOptional }: DropStmt): void {
  for (const item of objects) {
    const name = 'String' in item ? (item.String.sval ?? '') : ''
    const found = [...run.schema.publications()].find((one) => one.name === name)
    if (found === undefined && isOptional !== true && run.schema.knows === 'everything')
      run.fail('42704', `there is no publication ${name}`)
    run.part('publication', null, { name, old: mayBreak(`what reads the publication ${name} gets nothing any more`) })
    if (found !== undefined) run.schema.change.dropPublication(name)
  }
}

/** Partitions are published along with their table, heirs as tables of their own. */
function tablesIn(run: Run, objects: readonly Node[]): Publication['tables'] {
  return objects.flatMap((item) => {
    const entry = 'PublicationObjSpec' in item ? item.PublicationObjSpec.pubtable : undefined
    if (entry?.relation === undefined) return []
    const table = tableNamed(run.schema, tableOf(entry.relation))
    if (table === undefined) {
      run.fail('42P01', `there is no table ${entry.relation.relname ?? ''}`)
      return []
    }
    if (table.kind === 'p') run.lock(table.id, 'ShareUpdateExclusive')
    else run.lockFamily(table.id, 'ShareUpdateExclusive')
    const columns = entry.columns === undefined ? null : partsOf(entry.columns)
    return [{ table: table.id, columns, uses: [...columnNamesIn(entry.whereClause)] }]
  })
}

const schemasIn = (objects: readonly Node[]): readonly string[] =>
  objects.flatMap((item) =>
    'PublicationObjSpec' in item && item.PublicationObjSpec.name !== undefined ? [item.PublicationObjSpec.name] : [],
  )
