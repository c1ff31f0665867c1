import { spawn } from 'node:child_process'
import { childEnvironment } from '../../src/process/environment.ts'
import { applicationPath, toolEnvironment } from '../../playground/shop/application.ts'

/** A command as a person types it in the application's directory; how long it took from the start to its end, in milliseconds. */
export async function byHand(
  argv: readonly [string, ...string[]],
  cwd: string,
  databaseUrl: string,
  tool: Readonly<Record<string, string>> = toolEnvironment,
): Promise<number> {
  const [command, ...args] = argv
  const env = childEnvironment(process.env, applicationPath, { ...tool, DATABASE_URL: databaseUrl, ...passwordOf(databaseUrl) }, [
    'PGPASSWORD',
  ])
  const began = performance.now()
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const said: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk))
  const code = await new Promise<number | null>((done, failed) => {
    child.once('error', failed)
    child.once('close', done)
  })
  const took = performance.now() - began
  // `migrate status` ends with 1 when something is pending, which is its answer
  const expected = args.includes('status') ? [0, 1] : [0]
  if (code === null || !expected.includes(code))
    throw new Error(`${argv.join(' ')} ended with ${code}:\n${Buffer.concat(said).toString('utf8')}`)
  return took
}

/** For pg_dump; a password in an argument could be read by everybody on the machine. */
const passwordOf = (databaseUrl: string) => ({ PGPASSWORD: decodeURIComponent(new URL(databaseUrl).password) })
