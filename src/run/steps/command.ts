import { plainText } from '../../lib/text/escape.ts'
import { join } from 'node:path'
import { stat } from 'node:fs/promises'
import { isDirectory } from '../../deploy/command.ts'
import { code } from '../../lib/text/code.ts'
import type { Child, ChildEnd } from '../../process/child.ts'
import { runChild } from '../../process/run-child.ts'
import { noteChild } from '../orphans.ts'
import { seconds } from '../../lib/text/sentences.ts'
import type { RunContext } from '../../request/step.ts'

export type CommandEnd = ChildEnd & {
  /** Why it did not succeed, as a mrkdwn sentence; null when it did. */
  readonly why: string | null
  /** A few of its lines, for the preformatted block. */
  readonly excerpt: string
}

const EXCERPT_LINES = 12
const EXCERPT_CHARACTERS = 1_200
const REPORTED_CHARACTERS = 160
const NAME_CHARACTERS = 80

/** Runs one command of a run: its output goes to the run's log, its last line to the card. */
export async function runCommand(
  context: Pick<RunContext, 'redactor' | 'spool' | 'signal' | 'report' | 'directory'>,
  child: Required<Pick<Child, 'argv' | 'cwd' | 'env' | 'timeoutMs'>> & Pick<Child, 'shell' | 'onStart'>,
): Promise<CommandEnd> {
  const hindrance = await whyNotStartable(child, context)
  if (hindrance !== null) return notRun(hindrance)
  let forget = () => {}
  const end = await runChild({
    ...child,
    onStart(pid) {
      forget = noteChild(context.directory, pid)
      child.onStart?.(pid)
    },
    redactor: context.redactor,
    spool: context.spool,
    signal: context.signal,
    onLine: (line) => {
      const text = plainText(line).trim()
      if (text !== '' && !isRemark(text)) context.report(text.slice(0, REPORTED_CHARACTERS))
    },
  })
  forget()
  return { ...end, why: whyOf(nameOf(child, context), child.timeoutMs, end), excerpt: excerptOf(end.tail) }
}

/** A mrkdwn sentence; null when nothing is known that would keep it from starting. */
export async function whyNotStartable(
  child: Required<Pick<Child, 'argv' | 'cwd' | 'env'>> & Pick<Child, 'shell'>,
  context: Pick<RunContext, 'redactor'>,
): Promise<string | null> {
  if (!(await isDirectory(child.cwd)))
    return `The directory ${code(child.cwd)}, where ${nameOf(child, context)} should run, does not exist.`
  return child.shell === true || (await isFound(child)) ? null : notFound(child)
}

/** About the tool itself, not about what it does; it stands in the log. */
const isRemark = (line: string): boolean => /^(npm (warn|notice|WARN)|\(node:\d+\) |\(Use `node --trace)/.test(line)

/** The lines that say most, without colours and control characters: npm's error from its code on, otherwise the last ones. */
function excerptOf(tail: string): string {
  // oxlint-disable-next-line no-control-regex -- terminal colours are what it removes
  const plain = plainText(tail.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, ''))
  const lines = plain
    .split(/\r?\n|\r/)
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !/^npm (error|ERR!|warn.*)$/.test(line))
  const npmError = lines.findIndex((line) => /^npm (error|ERR!) code /.test(line))
  if (npmError >= 0)
    return lines
      .slice(npmError, npmError + EXCERPT_LINES)
      .join('\n')
      .slice(0, EXCERPT_CHARACTERS)
  return lines.slice(-EXCERPT_LINES).join('\n').slice(-EXCERPT_CHARACTERS)
}

function whyOf(name: string, timeoutMs: number, end: ChildEnd): string | null {
  if (end.ended === 'timed-out') return `${name} did not end within its timeout of ${seconds(timeoutMs)} and was stopped.`
  if (end.ended === 'aborted') return `${name} was stopped after ${seconds(end.durationMs)}.`
  if (end.ended === 'not-started') return `${name} could not be started.`
  if (end.exitCode === 0) return null
  if (end.signal !== null) return `${name} was ended by ${code(end.signal)} after ${seconds(end.durationMs)}.`
  return `${name} ended with exit code ${end.exitCode} after ${seconds(end.durationMs)}.`
}

/** Redacted before it is cut, since half a secret would not be recognised. */
function nameOf(child: { readonly argv: readonly string[] }, { redactor }: Pick<RunContext, 'redactor'>): string {
  const text = redactor.text(child.argv.join(' '))
  return code(text.length > NAME_CHARACTERS ? `${text.slice(0, NAME_CHARACTERS - 1)}…` : text)
}

const notFound = (child: { readonly argv: readonly string[]; readonly env: Readonly<Record<string, string>> }) =>
  `The command ${code(child.argv[0] ?? '')} was not found. The PATH of the application's commands is ${code(child.env['PATH'] ?? '')}; \`source.path\` in lockkeeper.yaml sets another.`

const notRun = (why: string): CommandEnd => ({
  exitCode: null,
  signal: null,
  ended: 'not-started',
  tail: '',
  durationMs: 0,
  why,
  excerpt: '',
})

/** Looked up before starting, since what starts it would report a missing command as an ordinary exit code. */
async function isFound(child: { readonly argv: readonly string[]; readonly cwd: string; readonly env: Readonly<Record<string, string>> }) {
  const command = child.argv[0] ?? ''
  const places = command.includes('/')
    ? [join(command.startsWith('/') ? '/' : child.cwd, command)]
    : (child.env['PATH'] ?? '').split(':').map((part) => join(part, command))
  for (const place of places) {
    const found = await stat(place).catch(() => null)
    if (found?.isFile() === true && (found.mode & 0o111) !== 0) return true
  }
  return false
}
