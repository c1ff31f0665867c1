import { isStoreAway } from './retry-store.ts'
import type { Queries } from './pool.ts'

/** Something that rows say is due at a time. Any number of replicas may act at once: each row is claimed with SKIP LOCKED. */
export type Due = {
  readonly name: string
  /** SQL without parameters that says whether anything is due, by `lockkeeper.now()`. Cheap: it is asked each second. */
  readonly isDue: string
  readonly act: () => Promise<unknown>
}

/** One statement asks about everything, since nearly always nothing is due. What fails holds back nothing else and is thrown at the end. */
export async function actOnDue(db: Queries, dues: readonly Due[]): Promise<void> {
  const faults: unknown[] = []
  const fail = (name: string, error: unknown) => void faults.push(new Error(`${name}: ${(error as Error).message}`, { cause: error }))
  const answers = await ask(db, dues).catch(async (error: Error) => {
    // one question that the server refuses must not silence the others; a server that is away answers none of them
    if (isStoreAway(error)) throw error
    const each: boolean[] = []
    for (const one of dues) each.push((await ask(db, [one]).catch((fault: unknown) => (fail(one.name, fault), [false])))[0] ?? false)
    return each
  })
  for (const [index, one] of dues.entries()) {
    if (answers[index] !== true) continue
    await one.act().catch((error: unknown) => fail(one.name, error))
  }
  if (faults.length > 0) throw new AggregateError(faults, faults.map((fault) => (fault as Error).message).join('; '))
}

async function ask(db: Queries, dues: readonly Due[]): Promise<readonly boolean[]> {
  const [answer] = await db.query<{ due: readonly boolean[] }>(`select array[${dues.map(({ isDue }) => `(${isDue})`).join(', ')}] as due`)
  return answer?.due ?? []
}
