import { isArray, isRecord } from '../shape.ts'

/** One line of `response_metadata.messages`, as Slack writes it. */
export type Problem = { readonly at: string; readonly message: string }
type Report = (at: string, message: string) => void
export type Check = (value: unknown, at: string, report: Report) => void

export function problemsOf(check: Check, value: unknown, at: string): readonly Problem[] {
  const problems: Problem[] = []
  check(value, at, (where, message) => problems.push({ at: where, message }))
  return problems
}

export const sentence = (problem: Problem): string => `[ERROR] ${problem.message} [json-pointer:${problem.at}]`

export const anything: Check = () => undefined

export function string(max: number, min = 1): Check {
  return (value, at, report) => {
    if (typeof value !== 'string') report(at, 'must be a string')
    else if (value.length > max) report(at, `must be less than ${max + 1} characters`)
    else if (value.length < min) report(at, `must be more than ${min - 1} characters`)
  }
}

export const boolean: Check = (value, at, report) => {
  if (typeof value !== 'boolean') report(at, 'must be a boolean')
}

export function integer(min: number, max: number): Check {
  return (value, at, report) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) report(at, 'must be an integer')
    else if (value < min || value > max) report(at, `must be between ${min} and ${max}`)
  }
}

export function oneOf(...allowed: readonly string[]): Check {
  return (value, at, report) => {
    if (typeof value !== 'string' || !allowed.includes(value)) report(at, `must be a valid enum value`)
  }
}

export function array(item: Check, max: number, min = 1): Check {
  return (value, at, report) => {
    if (!isArray(value)) return report(at, 'must be an array')
    if (value.length > max) report(at, `no more than ${max} items allowed`)
    if (value.length < min) report(at, `no less than ${min} items allowed`)
    value.forEach((each, index) => item(each, `${at}/${index}`, report))
  }
}

/** `type` and `block_id` are for the caller: every object that has them names them among its fields or goes through `byType`. */
export function object(required: Readonly<Record<string, Check>>, optional: Readonly<Record<string, Check>> = {}): Check {
  const known: Readonly<Record<string, Check>> = { ...required, ...optional }
  return (value, at, report) => {
    if (!isRecord(value)) return report(at, 'must be an object')
    for (const field of Object.keys(required)) {
      if (value[field] === undefined || value[field] === null) report(at, `missing required field: ${field}`)
    }
    for (const [field, inside] of Object.entries(value)) {
      if (inside === undefined || inside === null) continue
      const check = Object.hasOwn(known, field) ? known[field] : undefined
      if (check) check(inside, `${at}/${field}`, report)
      else report(at, `invalid additional property: ${field}`)
    }
  }
}

export function byType(kinds: Readonly<Record<string, Check>>): Check {
  return (value, at, report) => {
    if (!isRecord(value)) return report(at, 'must be an object')
    const type = value['type']
    if (typeof type !== 'string') return report(at, 'missing required field: type')
    const check = Object.hasOwn(kinds, type) ? kinds[type] : undefined
    if (check) check(value, at, report)
    else report(`${at}/type`, `unsupported type: ${type}`)
  }
}

export function all(...checks: readonly Check[]): Check {
  return (value, at, report) => {
    for (const check of checks) check(value, at, report)
  }
}
