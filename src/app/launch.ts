import { startWithoutSecrets, takeHandover } from './handover.ts'

/**
 * The program as people start it: with its secrets where other processes do not see them. `init` talks with a terminal and needs none.
 * Everything else is loaded afterwards, so that whatever reads a variable while it is loaded finds it.
 */
const words = process.argv.slice(2)
if (!words.includes('init')) startWithoutSecrets(import.meta.filename, words, process.env)
takeHandover(process.env)
await import('./main.ts')
