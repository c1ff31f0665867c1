import { deploy } from './deploy.ts'
import { runReal } from './real.ts'
import { diff, ofCatalogue } from './replay.ts'
import { resolve } from './resolve.ts'
import { readSituation, type Situation } from './situation.ts'
import { status } from './status.ts'

/**
 * A program that stands where the application's Prisma CLI stands: see README.md. What it does not know for certain the real CLI does, in
 * this very process, so that a test gets a slower answer and never a wrong one.
 */
async function main(): Promise<void> {
  const situation = readSituation(process.argv.slice(2), process.env, process.cwd())
  if (situation === null) return runReal()
  const end = await act(situation)
  if (end === 'unknown') return runReal()
  process.exit(end)
}

/** The exit code, or `unknown` when nothing was printed and nothing changed. */
function act(situation: Situation): Promise<number | 'unknown'> {
  const { command } = situation
  if (command.kind === 'status') return status(situation)
  if (command.kind === 'deploy') return deploy(situation)
  if (command.kind === 'resolve') return resolve(situation, command)
  return command.kind === 'diff' ? diff(situation, command) : ofCatalogue(situation, command.kind)
}

void main()
