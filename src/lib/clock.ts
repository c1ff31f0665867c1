/** Milliseconds since the epoch. Passed in everywhere, so that tests own the time; deadlines of requests use the store's clock instead. */
export type Clock = { readonly now: () => number }

export const systemClock: Clock = { now: () => Date.now() }
