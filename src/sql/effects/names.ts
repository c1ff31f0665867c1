import type { Node, RangeVar, TypeName } from 'libpg-query'

/** As the statement writes it: without a schema it is the one of the search path. */
export type Table = { readonly schema: string | null; readonly name: string; readonly isTemporary?: true }

export const tableOf = (relation: RangeVar | undefined): Table => ({
  schema: relation?.schemaname ?? null,
  name: relation?.relname ?? '',
  ...(relation?.relpersistence === 't' ? { isTemporary: true } : {}),
})

/** The schema `public` is left out, as people do. */
export const tableName = ({ schema, name }: Table): string => (schema === null || schema === 'public' ? name : `${schema}.${name}`)

export const relationName = (relation: RangeVar | undefined): string => tableName(tableOf(relation))

export function objectName(item: Node): string {
  if ('List' in item) return dotted(item.List.items)
  if ('TypeName' in item) return typeName(item.TypeName)
  if ('ObjectWithArgs' in item) return dotted(item.ObjectWithArgs.objname)
  return 'String' in item ? (item.String.sval ?? '') : ''
}

export const typeName = (type: TypeName | undefined): string => `${dotted(type?.names)}${type?.arrayBounds === undefined ? '' : '[]'}`

export function dotted(names: readonly Node[] | undefined): string {
  const parts = partsOf(names)
  return (parts.length > 1 && (parts[0] === 'public' || parts[0] === 'pg_catalog') ? parts.slice(1) : parts).join('.')
}

export const partsOf = (names: readonly Node[] | undefined): readonly string[] =>
  (names ?? []).flatMap((item) => ('String' in item ? [item.String.sval ?? ''] : []))

/** `%` stands for the subject, so it cannot stand in a name that is part of the verb. */
export const inVerb = (name: string): string => name.replaceAll('%', '\uff05')
