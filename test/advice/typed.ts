import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Lines as a text advises them, with `…` for what is filled in, and how they are typed in that state. */
export type Scenario = { readonly shapes: readonly string[]; readonly drive: () => Promise<unknown> }

const run = promisify(execFile)
/** As somebody types it. */
export const shell = (command: string, cwd: string, env: Readonly<Record<string, string>> = {}) =>
  run('sh', ['-c', command], { cwd, env: { ...process.env, ...env } })

/** The part of a sentence that is set as code and begins so, as it is copied from Slack. */
export function copied(sentence: string, beginning: string): string {
  const spans = [...sentence.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span)
  const found = spans.find((span) => span.startsWith(beginning))
  if (found === undefined) throw new Error(`no ${beginning} in: ${sentence}`)
  return found.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}

/** Why something was refused; empty when it was not. */
export const refusalOf = (tried: Promise<unknown>): Promise<string> =>
  tried.then(
    () => '',
    (error: Error) => error.message,
  )
