import { openEngine } from '../../src/engine/engine.ts'
import { createLog } from '../../src/lib/log.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { installStore } from '../../src/store/install.ts'
import { openStore } from '../../src/store/pool.ts'
import { createDatabase, madeOnce, STORE_TEMPLATE, type TestDatabase } from './postgres.ts'

/** A store in which a bot has been once: with its own tables and those of the engine, and without a row of either. Most of a first start is making them. */
export async function installedStore(): Promise<TestDatabase> {
  const template = `${STORE_TEMPLATE}_engine`
  await madeOnce(template, async (url) => {
    const db = openStore(url, () => {})
    await installStore(db)
    const engine = await openEngine({ db, log: createLog(createRedactor([]), 'silent') })
    await engine.run(async () => {})
    await engine.close()
    await db.close()
  })
  return createDatabase({ template })
}
