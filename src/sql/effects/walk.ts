/** Every object below a value, itself included. */
export function walk(value: unknown): readonly Record<string, unknown>[] {
  const found: Record<string, unknown>[] = []
  const open: unknown[] = [value]
  while (open.length > 0) {
    const one = open.pop()
    if (Array.isArray(one)) open.push(...[...(one as readonly unknown[])].reverse())
    else if (typeof one === 'object' && one !== null) {
      const record = Object.fromEntries(Object.entries(one))
      found.push(record)
      open.push(...Object.values(record).reverse())
    }
  }
  return found
}

/** Whether a string constant stands anywhere in the statement. */
export const mentions = (node: unknown, text: string): boolean => walk(node).some((part) => 'sval' in part && part['sval'] === text)
