import { closeSync, constants, existsSync, ftruncateSync, openSync, readFileSync, unlinkSync, writeSync, accessSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * A process may read `/proc/<pid>/environ` of every other one of the same user, and it shows the variables that a program was started
 * with, for as long as it runs. So the bot is started twice within one process id: the first time with everything, the second time
 * with what anybody may see; the rest comes over standard input, from a file that has no name any more and is emptied when it is read.
 * Returns only where that is not possible.
 */
export function startWithoutSecrets(program: string, words: readonly string[], env: Environment): void {
  if (process.execve === undefined || env[HANDED_OVER] !== undefined) return
  const { visible, hidden } = split(env)
  if (Object.keys(hidden).length === 0 || !putOnStandardInput(JSON.stringify(hidden))) return
  const argv = [process.execPath, ...process.execArgv, program, ...words]
  // as the first process of a container it needs an init that collects children; started before, that one would show everything
  const whole = process.pid === 1 && existsSync(INIT) ? [INIT, '--', ...argv] : argv
  process.removeAllListeners('warning') // that the call is experimental is no news for whoever operates the bot
  process.execve(whole[0] ?? process.execPath, whole, { ...visible, [HANDED_OVER]: '1' })
}

/** What was hidden, back into `env`; later changes of it are not shown to other processes. Nothing when nothing was handed over. */
export function takeHandover(env: Record<string, string | undefined>): void {
  if (env[HANDED_OVER] === undefined) return
  delete env[HANDED_OVER]
  const hidden: unknown = JSON.parse(readFileSync(STDIN, 'utf8'))
  ftruncateSync(STDIN) // an init before us has it open too
  closeSync(STDIN)
  openSync('/dev/null', 'r') // takes the number that was just freed
  if (typeof hidden === 'object' && hidden !== null) Object.assign(env, hidden)
}

/** Names that Node reads before we do, and those that every child is given anyway. Everything else is hidden, known or not. */
export function split(env: Environment): { readonly visible: Record<string, string>; readonly hidden: Record<string, string> } {
  const visible: Record<string, string> = {}
  const hidden: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) if (value !== undefined) (VISIBLE.test(name) ? visible : hidden)[name] = value
  return { visible, hidden }
}

const HANDED_OVER = 'LOCKKEEPER_HANDED_OVER'
const INIT = '/usr/bin/tini'
const STDIN = 0
const VISIBLE =
  /^(PATH|HOME|XDG_CACHE_HOME|USER|LOGNAME|SHELL|PWD|LANG|LC_[A-Z]+|TZ|TERM|TMPDIR|XDG_RUNTIME_DIR|NODE_ENV|NODE_OPTIONS|NODE_USE_ENV_PROXY|HTTPS?_PROXY|NO_PROXY|SSH_AUTH_SOCK|PM2_HOME|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSL_CERT_DIR|LD_LIBRARY_PATH|LOCKKEEPER_CONFIG|MALLOC_[A-Z_]+|NOTIFY_SOCKET|INVOCATION_ID)$/

/** Memory before disk, since what a removed file held may stay on a disk. */
function putOnStandardInput(text: string): boolean {
  for (const directory of ['/dev/shm', tmpdir()]) {
    const path = join(directory, `lockkeeper-${randomBytes(12).toString('hex')}`)
    try {
      accessSync(directory, constants.W_OK)
      const file = openSync(path, 'wx', 0o600)
      writeSync(file, text)
      closeSync(file)
    } catch {
      continue // not there, full or read-only: the next one
    }
    closeSync(STDIN)
    const opened = openSync(path, 'r+')
    unlinkSync(path)
    if (opened === STDIN) return true
    ftruncateSync(opened)
    closeSync(opened)
    return false
  }
  return false
}
