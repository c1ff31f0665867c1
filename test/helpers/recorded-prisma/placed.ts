/** What the helper that placed the program beside an application told it; see place.ts. */
export type Placed = {
  /** The real CLI's program. */
  readonly real: string
  readonly version: string
  /** Loaded into a real CLI whose answer is recorded; see tap.cjs. */
  readonly tap: string
  /** Where real starts are counted, a line each. */
  readonly starts: string
  /** The test file that placed it, or `?`. */
  readonly test: string
  /** Recorded answers to `db pull` and `migrate diff` of this version. */
  readonly recordings: string
  /** Otherwise what is not known ends with exit code 70. */
  readonly mayAskReal: boolean
  /** Answers that are missing are recorded. */
  readonly isRecording: boolean
  /** SHA-256 of the contents of each `prisma.config.ts` that is known. */
  readonly configs: { readonly shop: string; readonly inSchema: string; readonly withEngine: string }
}

export const placed = (): Placed => (globalThis as unknown as { recordedPrisma: Placed }).recordedPrisma // set by the file that starts this program
