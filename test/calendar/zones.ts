import fc from 'fast-check'

/** Both changes of the clock in each, at different hours, by an hour or half of one, and in both hemispheres. */
export const zones = ['America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'America/Santiago', 'Asia/Beirut'] as const

/** Days from now on for nearly two years, counted from 1 December 2026; 29 February 2028 is among them. */
export const days = fc.integer({ min: 0, max: 725 })

/** Minutes of days in UTC. */
export const instantIn = (day: number, minute: number): number => Date.UTC(2026, 11, 1 + day, 0, minute)
