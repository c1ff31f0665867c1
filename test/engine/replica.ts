import { setTimeout as wait } from 'node:timers/promises'
import { openStore } from '../../src/store/pool.ts'
import { openEngine } from '../../src/engine/engine.ts'
import { createLog } from '../../src/lib/log.ts'
import { createRedactor } from '../../src/redact/redact.ts'

/** A bot reduced to its engine: notes each step in a table `noted`, takes 1.5 s for the middle one, then waits for a signal. */
const db = openStore(process.env['STORE_URL'] ?? '', () => {})
const note = (what: string) => db.query('insert into noted (pid, what) values ($1, $2)', [process.pid, what])

const engine = await openEngine({ db, log: createLog(createRedactor([]), 'warn', process.stderr) })
await engine.run(async (id, { step, nextSignal }) => {
  await step('first', () => note(`${id} first`))
  await step('second', async () => {
    await note(`${id} second starts`)
    await wait(1_500)
    await note(`${id} second ends`)
  })
  await nextSignal()
  await step('third', () => note(`${id} third`))
})
await note('up')
process.once('SIGTERM', () => {
  void engine.close().then(() => db.close())
})
process.on('message', ({ start, signal }: { start?: number; signal?: number }) => {
  if (start !== undefined) void db.transaction((tx) => engine.start(tx, start))
  if (signal !== undefined)
    void db.transaction(async (tx) => {
      await engine.signal(tx, signal, { kind: 'decided' }, 'vote')
      await engine.signal(tx, signal, { kind: 'decided' }, 'vote')
    })
})
