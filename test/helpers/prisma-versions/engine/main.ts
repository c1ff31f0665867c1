import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { checkDatabase } from './cli.ts'
import { methodOf, openEngine } from './engine.ts'

/**
 * A program in the place of the native schema engine, which cannot be downloaded everywhere: the engine as WebAssembly over `pg`, with
 * which Prisma's CLI talks as it does with the native one, JSON-RPC over standard streams. See ../README.md for what that proves.
 */
const words = process.argv.slice(2)
const times = process.env['LOCKKEEPER_TEST_ENGINE_TIMES']
if (times !== undefined) process.on('exit', () => appendFileSync(times, `${performance.now()}\n`)) // since the process began
if (words[0] === '--version') {
  console.log(`schema-engine-cli ${process.env['LOCKKEEPER_TEST_ENGINE']}`)
} else if (words.includes('cli')) {
  await checkDatabase(words)
} else {
  let engine: ReturnType<typeof openEngine> | undefined
  const say = (message: object) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  let turn: Promise<unknown> = Promise.resolve()
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      const { id, method, params } = JSON.parse(line) as { id: number; method?: string; params?: Record<string, unknown> }
      if (method === undefined) return // an answer to what was printed
      turn = turn.then(async () => {
        try {
          engine ??= openEngine(words, params ?? {})
          const result = await methodOf(await engine, method)(params ?? {})
          const printed = method === 'diff' ? (result as { readonly stdout?: unknown }).stdout : undefined
          if (typeof printed === 'string') say({ id: `print-${id}`, method: 'print', params: { content: printed } })
          say({ id, result })
        } catch (error) {
          const { message, code } = error as { message: string; code?: string }
          const data = { is_panic: false, message, ...(code === undefined ? {} : { error_code: code }) }
          say({ id, error: { code: 4466, message: 'An error happened. Check the data field for details.', data } })
        }
      })
    })
    .on('close', () => void turn.finally(() => process.exit(0)))
}
