/**
 * As `Promise.all`, but none is left alone: when one fails, the others have ended too before the fault is thrown. What a sibling still does
 * in the database, in a directory or as a child would otherwise go on behind the back of whoever reads that fault as the end.
 */
export async function together<const T extends readonly unknown[]>(work: T): Promise<{ -readonly [Index in keyof T]: Awaited<T[Index]> }> {
  await Promise.allSettled(work)
  return Promise.all(work)
}
