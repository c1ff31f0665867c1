/** A bot that only migrates, to be killed: `node bot.ts`, where BOT in the environment is what `createRun` takes as JSON. Prints how the step ended. */
import { migrateStep } from '../../src/run/steps/migrate.ts'
import { createRun } from './application.ts'

const run = await createRun(JSON.parse(process.env['BOT'] ?? ''))
console.log(JSON.stringify(await migrateStep({ pollMs: 50 }).act(run.context)))
