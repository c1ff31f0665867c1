import type { Queries } from './pool.ts'

/** Milliseconds since 1970, by the clock that decides what is due. */
export async function storeNow(db: Queries): Promise<number> {
  const [row] = await db.query<{ now: number }>('select floor(extract(epoch from lockkeeper.now()) * 1000)::float8 as now')
  if (row === undefined) throw new Error('the store did not say what time it is')
  return row.now
}
