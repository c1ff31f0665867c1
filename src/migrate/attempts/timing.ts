/** How long and how often; milliseconds. Tests go faster. */
export type Timing = {
  /** Between two looks at a running migrator. */
  readonly pollMs: number
  /** Tries for a migration that cannot get its lock, and the pauses between them (the last one repeats). */
  readonly tries: number
  readonly pausesMs: readonly number[]
  /** No further try begins after this. */
  readonly triesWithinMs: number
  /** For a file that runs without timeouts: an index on a large table takes its time, but not for ever. */
  readonly concurrentMaximumMs: number
  /** Between asking politely and the next means of stopping. */
  readonly patienceMs: number
  /** How long a database may be silent before a person is called, and a foreign migrator be waited for. */
  readonly silenceMs: number
}

export const defaultTiming: Timing = {
  pollMs: 500,
  tries: 5,
  pausesMs: [1_000, 5_000, 15_000, 30_000],
  triesWithinMs: 10 * 60_000,
  concurrentMaximumMs: 4 * 3_600_000,
  patienceMs: 5_000,
  silenceMs: 60_000,
}
