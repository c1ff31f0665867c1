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

test('an engine that could not begin leaves no connection, and another one can begin in the same process', async () => {
  const [broken, whole] = [await createStore(), await createStore()]
  closing.push(broken.close, whole.close)
  // as a store whose tables belong to another role, or are none of this engine's
  await broken.db.query('create schema dbos')
  await broken.db.query('create view dbos.dbos_migrations as select 1 as version')
  const engine = await openEngine({ db: broken.db, log: createLog(createRedactor([]), 'silent') })
  await expect(engine.run(async () => {})).rejects.toThrow(/Failed to initialize workflow executor/)
  await engine.close()
  const own = `select pid from pg_stat_activity where datname = current_database() and application_name = 'lockkeeper-engine'`
  // one that nobody ends is idle for 10 s before its pool lets it go, and a process that starts in vain stays for as long
  await until('its connections are gone', async () => (await broken.db.query(own)).length === 0, 3_000)

  const next = await openEngine({ db: whole.db, log })
  closing.push(next.close)
  const seen: number[] = []
  await next.run(async (id) => void seen.push(id))
  await whole.db.transaction((tx) => next.start(tx, 7))
  await until('its workflow ran', () => seen.length === 1)
})
