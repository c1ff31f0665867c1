/** Reading values that came over the wire, where nothing is known about them yet. */

export type Json = Record<string, unknown>

export const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

export const isArray = (value: unknown): value is readonly unknown[] => Array.isArray(value)

export const recordOf = (value: unknown): Json => (isRecord(value) ? value : {})

export const recordsOf = (value: unknown): readonly Json[] => (isArray(value) ? value.filter(isRecord) : [])

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '')

/** Form bodies carry booleans as words. */
export const flagOf = (value: unknown): boolean => value === true || value === 'true' || value === '1' || value === 1

export const parseJson = (text: string): { readonly ok: true; readonly value: unknown } | { readonly ok: false } => {
  try {
    const value: unknown = JSON.parse(text)
    return { ok: true, value }
  } catch {
    return { ok: false }
  }
}
