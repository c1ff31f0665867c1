/** A bot that only migrates, to be killed: `node bot.ts JSON`, where JSON is what `createRun` takes. Prints how the step ended. */
import { migrateStep } from '../../src/run/steps/migrate.ts'
import { createRun } from './application.ts'

const run = await createRun(JSON.parse(process.argv[2] ?? ''))
console.log(JSON.stringify(await migrateStep({ pollMs: 50 }).act(run.context)))
