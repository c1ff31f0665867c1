import { afterEach, expect, test } from 'vitest'
import { startEngine, type RunningEngine } from '../../src/engine/engine.ts'
import { createLog } from '../../src/lib/log.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { createStore } from '../helpers/postgres.ts'
import { until } from '../helpers/until.ts'

const closing: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

test('an engine that was closed can be started again in the same process, on another store', async () => {
  for (const round of [1, 2]) {
    const store = await createStore()
    const seen: { readonly id: number; readonly owned: boolean }[] = []
    const engine: RunningEngine = await startEngine({
      db: store.db,
      log: createLog(createRedactor([]), 'warn', process.stderr),
      body: async (id, { step }) => void (await step('note', async () => seen.push({ id, owned: await engine.owns(store.db, id) }))),
    })
    await store.db.transaction((tx) => engine.start(tx, round))
    expect(await until('the workflow ran', () => seen.length === 1 && seen)).toEqual([{ id: round, owned: true }])
    expect(await engine.owns(store.db, 99)).toBe(false)
    await until('what has ended belongs to nobody', async () => !(await engine.owns(store.db, round)))
    await engine.close()
    await store.close()
  }
})

test('a signal to a request without a workflow is ignored', async () => {
  const store = await createStore()
  closing.push(store.close)
  const engine = await startEngine({ db: store.db, log: createLog(createRedactor([]), 'warn', process.stderr), body: async () => {} })
  closing.push(engine.close)
  await expect(store.db.transaction((tx) => engine.signal(tx, 5, { kind: 'cancel' }, 'x'))).resolves.toBeUndefined()
})
