/** Where in the engine's source an error passed by. */
export type Frame = { readonly name: string; readonly at: string; readonly fields?: string }

/** Printed after `Error: `, with exit code 1. */
export class Told extends Error {}

type Driver = {
  readonly code?: string
  readonly message: string
  readonly severity?: string
  readonly detail?: string
  readonly hint?: string
  readonly address?: string
  readonly hostname?: string
  readonly port?: number
}

const driver = (error: unknown): Driver => error as Driver // pg's own, or Node's

/** Of the question whether the database can be reached, which the CLI asks of an engine that is a program; null as below. */
export function reachFault(thrown: unknown, place: string): Told | null {
  const error = driver(thrown)
  const known = knownFault(error, place)
  if (known === null) return null
  return new Told(known.code === 'P2037' ? `Schema engine error:\n${error.message}` : `${known.code}: ${known.text.trimEnd()}`)
}

/** Of the first statement; null for one whose words are not known, and then nothing was changed yet. */
export function startFault(thrown: unknown): Told | null {
  const known = knownFault(driver(thrown))
  return known === null ? null : new Told(known.text)
}

/** Of a statement of the engine's own. */
export function engineFault(thrown: unknown, frames: readonly Frame[], isOldEngine: boolean): Told {
  const error = driver(thrown)
  if (isOldEngine && error.code === '42P01')
    return new Told(`external connector error\nNo such table: ${quotedIn(error.message)}\n${backtrace(frames)}`)
  const known = knownFault(error)
  if (known !== null) return new Told(`${known.code}\n\n${known.text}`)
  const more = isOldEngine ? 'external connector error\nError querying the database: ' : ''
  return new Told(`${error.code === undefined ? 'External error id#0' : more + worded(error)}\n${backtrace(frames)}`)
}

/** Of a migration's script, as the shop's configuration hands it over, as the plain one of a test does, or as an engine that is a program. */
export function scriptFault(thrown: unknown, by: 'shop' | 'plain' | 'program'): string {
  const { code, message, severity = 'ERROR', detail, hint } = driver(thrown)
  const told = `[SQLSTATE ${code ?? (by === 'shop' ? 'undefined' : 'XX000')}] ${message}`
  const more = by === 'plain' ? {} : { ...(detail === undefined ? {} : { detail }), ...(hint === undefined ? {} : { hint }) }
  return `external connector error\nError querying the database: ${worded({ message: told, severity, ...more })}`
}

const worded = ({ severity = 'N/A', message, detail, hint }: Driver): string =>
  [`${severity}: ${message}`, detail === undefined ? [] : `DETAIL: ${detail}`, hint === undefined ? [] : `HINT: ${hint}`].flat().join('\n')

/** Without an end of line. */
export const backtrace = (frames: readonly Frame[]): string =>
  frames
    .map(({ name, at, fields }, index) =>
      [`   ${index}: ${name}`, fields === undefined ? [] : `           with ${fields}`, `             at ${at}`].flat().join('\n'),
    )
    .join('\n')

/** Errors that Prisma has words of its own for. */
function knownFault(error: Driver, at: string | null = null): { readonly code: string; readonly text: string } | null {
  const { code, message } = error
  if (code === 'ECONNREFUSED' || code === 'ENOTFOUND') {
    const host = error.address ?? error.hostname ?? ''
    const place = at ?? (error.port === undefined ? host : `${host}:${error.port}`)
    return {
      code: 'P1001',
      text: `Can't reach database server at \`${place}\`\n\nPlease make sure your database server is running at \`${place}\`.\n`,
    }
  }
  if (code === '3D000') return { code: 'P1003', text: `Database \`${quotedIn(message)}\` does not exist\n` }
  if (code === '28P01')
    return {
      code: 'P1000',
      text: `Authentication failed against database server, the provided database credentials for \`${quotedIn(message)}\` are not valid.\n\nPlease make sure to provide valid database credentials for the database server at the configured address.\n`,
    }
  if (code === '42P01') return { code: 'P1014', text: `The underlying table for model \`${quotedIn(message)}\` does not exist.\n` }
  return code === '53300' ? { code: 'P2037', text: `${message}\n` } : null
}

const quotedIn = (message: string): string => /"([^"]*)"/.exec(message)?.[1] ?? ''
