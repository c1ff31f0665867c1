import { join } from 'node:path'
import { startWithoutSecrets } from './handover.ts'

/** The program as people start it: with its secrets where other processes do not see them. `init` talks with a terminal and needs none. */
const words = process.argv.slice(2)
if (!words.includes('init')) startWithoutSecrets(join(import.meta.dirname, 'main.ts'), words, process.env)
await import('./main.ts')
