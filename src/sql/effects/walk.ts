import type { Node } from 'libpg-query'

/** Every object below a value, itself included. */
export function walk(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  const found: Readonly<Record<string, unknown>>[] = []
  const open: unknown[] = [value]
  while (open.length > 0) {
    const one = open.pop()
    if (typeof one !== 'object' || one === null) continue
    const inner: readonly unknown[] = Array.isArray(one) ? one : Object.values(one)
    if (isRecord(one)) found.push(one)
    // one by one: an INSERT may have more rows than a call takes arguments
    for (let at = inner.length - 1; at >= 0; at--) open.push(inner[at])
  }
  return found
}

const isRecord = (value: object): value is Readonly<Record<string, unknown>> => !Array.isArray(value)

/** The string constants that stand anywhere in the statement. */
export const constantsIn = (node: unknown): ReadonlySet<string> =>
  new Set(walk(node).flatMap(({ sval }) => (typeof sval === 'string' ? [sval] : [])))

/** Whether an option in brackets is on: `(analyze)`, `(concurrently true)`; of several the last one counts. */
export function isOn(options: readonly Node[] = [], name: string): boolean {
  const given = options.flatMap((item) => ('DefElem' in item && item.DefElem.defname === name ? [item.DefElem] : [])).at(-1)
  if (given?.arg === undefined) return given !== undefined
  if ('Integer' in given.arg) return (given.arg.Integer.ival ?? 0) !== 0
  return !('String' in given.arg && /^(false|off)$/i.test(given.arg.String.sval ?? ''))
}
