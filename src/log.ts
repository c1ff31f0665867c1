import { pino, type Logger } from 'pino'
import type { Redactor } from './redact.ts'

export type Log = Logger

/** Every line passes the redactor as finished JSON, so that no field can carry a secret past it. */
export function createLog(redactor: Redactor, level: string = 'info', sink: NodeJS.WritableStream = process.stdout): Log {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    { write: (line: string) => void sink.write(redactor.text(line)) },
  )
}
