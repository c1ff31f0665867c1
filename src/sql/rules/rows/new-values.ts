import type { Run } from '../run/run.ts'

/** A value that this transaction added to an enum cannot be used before it ends. */
export function refuseNewValue(
  { schema, fail }: Run,
  type: { readonly schema: string | null; readonly name: string } | undefined,
  def: unknown,
): void {
  const found = type === undefined || type.schema === null ? undefined : schema.type(`${type.schema}.${type.name}`)
  if (found === undefined || found.newValues.length === 0) return // of each column of each statement that writes
  const text = JSON.stringify(def)
  const used = found.newValues.find((value) => text.includes(`"sval":${JSON.stringify(value)}`))
  if (used !== undefined) fail('55P04', `the value ${used} is new in this transaction and cannot be used before it ends`)
}
