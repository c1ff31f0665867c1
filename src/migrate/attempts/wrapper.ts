/**
 * A program of its own: `node wrapper.ts DIRECTORY COMMAND ARGUMENT…`. It starts the migrator and writes how it ended into DIRECTORY, so
 * that the exit code survives the bot. It claims the attempt first: whoever takes over voids an unclaimed attempt, and then this
 * program starts nothing. Signals to the group reach the migrator as well, so it ignores them and waits for what comes of it.
 */
// oxlint-disable-next-line no-restricted-imports -- a program of its own, which runs without the bot and must start at once
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { startTime } from '../../process/process-id.ts'
import { writeFirstSync, writeWholeSync } from '../../lib/durable-file.ts'

const [directory, command, ...args] = process.argv.slice(2)
if (directory === undefined || command === undefined) throw new Error('usage: wrapper.ts DIRECTORY COMMAND ARGUMENT…')

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})

const claim = { pid: process.pid, startedAt: startTime(process.pid) ?? 'unknown' }
if (writeFirstSync(join(directory, 'claim.json'), JSON.stringify(claim))) {
  const migrator = spawn(command, args, { stdio: 'inherit' })
  const end = (exit: { exitCode: number | null; signal: string | null; fault?: string }) =>
    writeWholeSync(join(directory, 'exit.json'), JSON.stringify(exit))
  migrator.on('error', (error) => end({ exitCode: null, signal: null, fault: error.message }))
  migrator.on('exit', (exitCode, signal) => end({ exitCode, signal }))
}
