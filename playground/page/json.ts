/** Readers for Block Kit as it comes off the wire: a wrong type reads as absent, so that a broken block never takes the page down. */
export type Json = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function textAt(value: unknown, key: string): string | null {
  const found = isObject(value) ? value[key] : undefined
  return typeof found === 'string' ? found : null
}

export function flagAt(value: unknown, key: string): boolean {
  return isObject(value) && value[key] === true
}

export function numberAt(value: unknown, key: string): number | null {
  const found = isObject(value) ? value[key] : undefined
  return typeof found === 'number' ? found : null
}

export function objectAt(value: unknown, key: string): Json | null {
  const found = isObject(value) ? value[key] : undefined
  return isObject(found) ? found : null
}

export function objectsAt(value: unknown, key: string): readonly Json[] {
  return arrayAt(value, key).filter(isObject)
}

export function textsAt(value: unknown, key: string): readonly string[] {
  return arrayAt(value, key).filter((item) => typeof item === 'string')
}

export function arrayAt(value: unknown, key: string): readonly unknown[] {
  const found = isObject(value) ? value[key] : undefined
  return Array.isArray(found) ? found : []
}

/** The visible words of a text object such as `{ type: 'plain_text', text: 'Approve' }`. */
export function words(value: unknown): string {
  return textAt(value, 'text') ?? ''
}
