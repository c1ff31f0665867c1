import { pino, type Logger } from 'pino'
import { currentFields } from './telemetry.ts'
import type { Redactor } from '../redact/redact.ts'

export type Log = Logger

/**
 * Every line passes the redactor as finished JSON, so that no field can carry a secret past it, and names what it is about: the
 * request, the run and its step, the delivery of Slack's.
 */
export function createLog(redactor: Redactor, level: string = 'info', sink: NodeJS.WritableStream = process.stdout): Log {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, mixin: () => ({ ...currentFields() }) },
    { write: (line: string) => void sink.write(redactor.text(line)) },
  )
}
