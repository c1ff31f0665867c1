/** Numbers and waiting, worded once for cards, diagnoses and threads. Plain text: nothing here is escaped or formatted. */

/** `0.1 s`, `18 s`, `1 min 9 s`, `2 h 5 min`. */
export function seconds(ms: number): string {
  if (ms < 9_950)
    return `${Math.max(0.1, ms / 1000)
      .toFixed(1)
      .replace(/\.0$/, '')} s`
  const whole = Math.round(ms / 1000)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 === 0 ? '' : ` ${whole % 60} s`}`
  return `${Math.floor(whole / 3600)} h${Math.floor((whole % 3600) / 60) === 0 ? '' : ` ${Math.floor((whole % 3600) / 60)} min`}`
}

/** `38 min`: one unit, for how long somebody has been at it. */
export function roughly(ms: number): string {
  if (ms < 60_000) return `${Math.max(1, Math.round(ms / 1000))} s`
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`
  return `${Math.round(ms / 3_600_000)} h`
}

export const count = (n: number, one: string, many = `${one}s`): string => `${n.toLocaleString('en-US')} ${n === 1 ? one : many}`

/** `a`, `a and b`, `a, b and c` */
export const list = (parts: readonly string[]): string =>
  parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
