/**
 * A program of its own: `node adapter-probe.ts SCRIPT`, in the application's directory. It loads the application's configuration as its
 * Prisma does, and hands the script to the driver adapter as `migrate deploy` does with a file. (`db execute` takes another way.) Ends
 * with 0 when the script ran; whatever is not as it expects is a fault.
 */
import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

type Loaded = { readonly config: { readonly adapter?: () => Promise<{ readonly connect: () => Promise<unknown> }> } }
type Connection = { readonly executeScript: (script: string) => Promise<unknown> }

const [script = ''] = process.argv.slice(2)
const prisma = realpathSync(createRequire(join(process.cwd(), 'application.js')).resolve('prisma/package.json'))
const { loadConfigFromFile } = createRequire(prisma)('@prisma/config') as { loadConfigFromFile: (where: object) => Promise<Loaded> } // of the application's version
const { config } = await loadConfigFromFile({})
const factory = await config.adapter?.()
if (factory === undefined) throw new Error('the configuration has no driver adapter')
const connection = valueOf(await factory.connect()) as Connection
valueOf(await connection.executeScript(script))
process.exit(0) // its pool would hold the process

/** What `defineConfig` wraps does not throw but says whether it is well. */
function valueOf(result: unknown): unknown {
  if (typeof result !== 'object' || result === null || !('ok' in result)) return result
  if (result.ok !== true) throw new Error('the driver adapter says that it failed', { cause: 'error' in result ? result.error : result })
  return 'value' in result ? result.value : undefined
}
