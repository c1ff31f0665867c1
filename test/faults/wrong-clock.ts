/**
 * Loaded before everything else (`node --import`): this process's clock is wrong by LOCKKEEPER_TEST_CLOCK milliseconds, for the bot and for
 * every library in it, as on a machine whose clock is wrong. Timers run as ever.
 */
const offsetMs = Number(process.env['LOCKKEEPER_TEST_CLOCK'])
const now = Date.now.bind(Date)

class WrongDate extends Date {
  constructor(...given: readonly unknown[]) {
    if (given.length === 0) super(now() + offsetMs)
    else super(...(given as [number]))
  }
  static override now(): number {
    return now() + offsetMs
  }
}

globalThis.Date = WrongDate as DateConstructor
