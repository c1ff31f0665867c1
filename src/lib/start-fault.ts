/** sysexits.h: what a supervisor may tell apart. A restart cures `unavailable`, and does not cure `configuration`. */
export const startCodes = { unavailable: 69, configuration: 78 } as const

/** Why Lockkeeper cannot start, in a sentence for whoever starts it, with the exit code. */
export class StartFault extends Error {
  readonly exitCode: (typeof startCodes)[keyof typeof startCodes]
  constructor(code: keyof typeof startCodes, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'StartFault'
    this.exitCode = startCodes[code]
  }
}
