// Preloaded into a bot: writes down the path of each module that it loads.
import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

const list = process.env.LOCKKEEPER_TEST_MODULES
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context)
    appendFileSync(list, `${resolved.url}\n`)
    return resolved
  },
})
