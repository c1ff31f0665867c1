/** One thing that doctor looked at. `wrong` makes the exit code 1; `warning` works for now. `mend` says what to do, null where `text` does. */
export type Finding = {
  readonly level: 'ok' | 'warning' | 'wrong'
  readonly what: string
  readonly text: string
  readonly mend: string | null
}

export const ok = (what: string, text: string): Finding => ({ level: 'ok', what, text, mend: null })
export const warning = (what: string, text: string, mend: string | null = null): Finding => ({ level: 'warning', what, text, mend })
export const wrong = (what: string, text: string, mend: string | null = null): Finding => ({ level: 'wrong', what, text, mend })

/** `12 s`, `5 min`, `3 h`, `2 days`: one number, since it is read at a glance. */
export function ageText(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`
  return `${Math.round(seconds / 86_400)} days`
}

export const bytesText = (bytes: number): string => {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1_000 ** power
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${units[power]}`
}

export const count = (number: number, one: string, many = `${one}s`): string => `${number} ${number === 1 ? one : many}`

/** `#3, #4 and 2 more`. */
export const requests = (ids: readonly number[]): string =>
  ids
    .slice(0, 5)
    .map((id) => `#${id}`)
    .join(', ') + (ids.length > 5 ? ` and ${ids.length - 5} more` : '')
