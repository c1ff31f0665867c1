import type { Db, Tx } from './pool.ts'

/** Rows that are due, and how one of them is found. `Row` is what the question gives of each. */
export type Claim<Row extends Due = Due> = {
  /** For the fault: `requests`, `freezes`. */
  readonly what: string
  /** `select … where …` without parameters, limit and lock; one of its columns is called `id`. */
  readonly due: string
  /** That column's place: `r.id`. */
  readonly id: string
  readonly order: string
  /** Aliases of the rows that are locked, where the question joins several: `of r, g`. */
  readonly lock?: `of ${string}`
  /** Never set: it ties the type to the question. */
  readonly row?: Row
}

type Due = { readonly id: number }

/** Whether anything is due, as a condition: nearly always nothing is. */
export const isAnyDue = (claims: readonly Claim[]): string => claims.map(({ due }) => `exists (${due})`).join(' or ')

/**
 * Acts on each row that is due in a transaction of its own, until there is none. `act` must make its row no longer due. Any number of
 * replicas may do it at once: SKIP LOCKED gives each row to one of them, and one that somebody else holds is looked at next time. Once a
 * row is held it is asked again whether it is due: the question saw other tables as they were before somebody else let it go. A row that
 * fails holds back no other; what failed is thrown at the end. Gives the number of rows that were dealt with.
 */
export async function claimEach<Row extends Due>(
  db: Pick<Db, 'transaction'>,
  { what, due, id, order, lock }: Claim<Row>,
  act: (tx: Tx, row: Row) => Promise<void>,
): Promise<number> {
  const next = `${due} and ${id} <> all($1) order by ${order} limit 1 for update ${lock ?? ''} skip locked`
  const again = `${due} and ${id} = $1`
  const failed = new Map<number, unknown>()
  for (let done = 0; ;) {
    let row: Row | undefined
    let held: Row | undefined
    try {
      await db.transaction(async (tx) => {
        row = (await tx.query<Row>(next, [[...failed.keys()]]))[0]
        held = row === undefined ? undefined : (await tx.query<Row>(again, [row.id]))[0]
        if (held !== undefined) await act(tx, held)
      })
    } catch (error) {
      if (row === undefined) throw error
      failed.set(row.id, error)
      continue
    }
    if (row === undefined) {
      if (failed.size > 0) throw new AggregateError(failed.values(), whyOf(what, failed))
      return done
    }
    if (held !== undefined) done++
  }
}

/** One kind after the other; a kind that fails holds back no other, and what failed is thrown at the end. */
export async function inSequence<const Kinds extends readonly (() => Promise<number>)[]>(
  ...kinds: Kinds
): Promise<{ [Kind in keyof Kinds]: number }> {
  const faults: unknown[] = []
  const done: number[] = []
  for (const kind of kinds) done.push(await kind().catch((error: unknown) => (faults.push(error), 0)))
  if (faults.length > 0) throw new AggregateError(faults, faults.map((fault) => (fault as Error).message).join('; '))
  return done as { [Kind in keyof Kinds]: number } // one each
}

const whyOf = (what: string, failed: ReadonlyMap<number, unknown>): string =>
  `${what} ${[...failed.keys()].join(', ')} are due and could not be dealt with: ${[...failed.values()].map((fault) => (fault as Error).message).join('; ')}`
