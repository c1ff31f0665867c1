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
  const [answer] = await db.query<{ due: readonly boolean[] }>(`select array[${dues.map(({ isDue }) => `(${isDue})`).join(', ')}] as due`)
  const faults: unknown[] = []
  for (const [index, one] of dues.entries()) {
    if (answer?.due[index] !== true) continue
    await one.act().catch((error: unknown) => faults.push(new Error(`${one.name}: ${(error as Error).message}`, { cause: error })))
  }
  if (faults.length > 0) throw new AggregateError(faults, faults.map((fault) => (fault as Error).message).join('; '))
}
