import { afterEach, expect, test } from 'vitest'
import { openEngine, startClientEngine } from '../../src/engine/engine.ts'
import { createLog } from '../../src/lib/log.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { createStore } from '../helpers/postgres.ts'
import { until } from '../helpers/until.ts'

const log = createLog(createRedactor([]), 'warn', process.stderr)
const closing: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

test('an engine that was closed can be started again in the same process, on another store', async () => {
  for (const round of [1, 2]) {
    const store = await createStore()
    const seen: { readonly id: number; readonly owned: boolean }[] = []
    const engine = await openEngine({ db: store.db, log })
    await engine.run(
      async (id, { step }) => void (await step('note', async () => seen.push({ id, owned: await engine.owns(store.db, id) }))),
    )
    await store.db.transaction((tx) => engine.start(tx, round))
    expect(await until('the workflow ran', () => seen.length === 1 && seen)).toEqual([{ id: round, owned: true }])
    expect(await engine.owns(store.db, 99)).toBe(false)
    await until('what has ended belongs to nobody', async () => !(await engine.owns(store.db, round)))
    await engine.close()
    await store.close()
  }
})

test('work that waited in the store finds its engine whole from its first line, and what is started before it runs waits for it', async () => {
  const store = await createStore()
  closing.push(store.close)
  const before = await openEngine({ db: store.db, log })
  await before.run(async () => {}) // makes the engine's tables
  await before.close()
  const client = await startClientEngine(store.db)
  closing.push(client.close)
  await store.db.transaction((tx) => client.start(tx, 1))

  const engine = await openEngine({ db: store.db, log })
  closing.push(engine.close)
  await store.db.transaction((tx) => engine.start(tx, 2))
  const seen: { readonly id: number; readonly owned: boolean; readonly isHeld: boolean }[] = []
  await engine.run(async (id) => {
    seen.push({ id, owned: await engine.owns(store.db, id), isHeld: engine.liveness.isHeld() })
  })
  await until('both ran', () => seen.length === 2)
  expect(seen.toSorted((a, b) => a.id - b.id)).toEqual([
    { id: 1, owned: true, isHeld: true },
    { id: 2, owned: true, isHeld: true },
  ])
})

test('an engine that never ran can be closed', async () => {
  const store = await createStore()
  closing.push(store.close)
  const engine = await openEngine({ db: store.db, log })
  await expect(engine.close()).resolves.toBeUndefined()
})

test('a signal to a request without a workflow is ignored', async () => {
  const store = await createStore()
  closing.push(store.close)
  const engine = await openEngine({ db: store.db, log })
  closing.push(engine.close)
  await engine.run(async () => {})
  await expect(store.db.transaction((tx) => engine.signal(tx, 5, { kind: 'cancel' }, 'x'))).resolves.toBeUndefined()
})
