/** `full` is what the aims are for; `small` are the same figures in a minute or two, for CI and for looking at a change. */
export type Size = 'small' | 'full'

/** What every measurement gets. */
export type Bench = {
  readonly size: Size
  /** Picks by size. */
  readonly sized: <T>(values: Readonly<Record<Size, T>>) => T
  /** A line about what is being done, for whoever watches; never part of the result. */
  readonly say: (text: string) => void
}

export type Aim = { readonly is: 'at least' | 'at most' | 'under'; readonly than: number }

export type Figure = {
  readonly name: string
  readonly unit: string
  /** Null for a figure that only explains another one. */
  readonly aim: Aim | null
}

export type Measured = {
  readonly value: number
  /** How it came about, and for one that misses why and what would close it. */
  readonly note: string
  /** What the value depends on did not come about, so it meets nothing, however good it looks. */
  readonly isVoid?: boolean
}

/** One way of measuring gives one figure or several that belong together. */
export type Measurement = {
  readonly figures: readonly Figure[]
  /** By name, for all of `figures`. */
  readonly measure: (bench: Bench) => Promise<Readonly<Record<string, Measured>>>
}

/** `value` is null when it could not be measured. */
export type Result = Figure & { readonly value: number | null; readonly note: string; readonly isVoid?: boolean }

export const atLeast = (than: number): Aim => ({ is: 'at least', than })
export const atMost = (than: number): Aim => ({ is: 'at most', than })
export const under = (than: number): Aim => ({ is: 'under', than })

/** Null when there is nothing to meet. */
export function isMet({ value, aim, isVoid }: Pick<Result, 'value' | 'aim' | 'isVoid'>): boolean | null {
  if (aim === null) return null
  if (value === null || isVoid === true) return false
  if (aim.is === 'at least') return value >= aim.than
  return aim.is === 'at most' ? value <= aim.than : value < aim.than
}

const signs = { 'at least': '>=', 'at most': '<=', under: '<' } as const

/** Such as `>= 15`. */
export const aimText = (aim: Aim | null): string | null => (aim === null ? null : `${signs[aim.is]} ${aim.than}`)

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle]
  if (upper === undefined) throw new Error('there is no median of nothing')
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}

/** The value that so many of a hundred do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const found = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]
  if (found === undefined) throw new Error('there is no percentile of nothing')
  return found
}

/** Three digits are what a measurement is worth. */
export const rounded = (value: number): number => (value === 0 ? 0 : Number(value.toPrecision(3)))
export const ms = (value: number): string => `${Math.round(value).toLocaleString('en')} ms`
