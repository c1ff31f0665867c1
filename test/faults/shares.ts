/**
 * Which faults a run of the tests does; `FAULTS` says so. `npm test` does the chosen ones, `npm run test:all` all of them, and each landing
 * a third of those that are not chosen, another one than the landing before.
 */
export type Share = 'all' | 'chosen' | Third
type Third = 1 | 2 | 3

export function shareOf(value: string | undefined): Share {
  if (value === undefined || value === 'all') return 'all'
  if (value === 'chosen') return 'chosen'
  const third = /^([123])\/3$/.exec(value)?.[1]
  if (third === undefined) throw new Error(`FAULTS is ${value}; it can be chosen, 1/3, 2/3, 3/3 or all`)
  return Number(third) as Third
}

/** At least one of each kind, each with another way to go wrong: faults of the catalogue, and files with a story of their own. */
export const CHOSEN: readonly string[] = [
  'kill -9 of the bot that carries the run',
  'kill -9 of the migrator and its wrapper',
  'the store crashes and recovers, twice',
  'commits are carried out and their answers lost',
  'every session of the bot and its migrator in the target is ended',
  'the disk of the backups is full',
  'Slack carries out and its replies are lost',
  'the step exits with 0 and the application is dead',
  'faults/approval.test.ts',
]

/** Of these, those that this share does. The rest is dealt out one by one, so that neighbours, which take about as long, are divided. */
export function inShare(share: Share, names: readonly string[]): readonly string[] {
  if (share === 'all') return names
  if (share === 'chosen') return names.filter((name) => CHOSEN.includes(name))
  return names.filter((name) => !CHOSEN.includes(name)).filter((_, at) => at % 3 === share - 1)
}

/** What is always begun: these two files ask for the share of each fault. */
const CATALOGUE = ['faults/one-bot.test.ts', 'faults/three-bots.test.ts']
const WALK = 'faults/walk.test.ts'

/** Of the files of the faults, those that this share begins. Each landing walks with its third, not in its `npm test`. */
export function filesInShare(share: Share, files: readonly string[]): readonly string[] {
  const stories = files.filter((file) => !CATALOGUE.includes(file) && file !== WALK)
  const walk = share === 'chosen' ? [] : [WALK]
  return [...CATALOGUE, ...walk, ...inShare(share, stories)].filter((file) => files.includes(file))
}

/** Runs of the walk, unless somebody says how many. */
export const walkLength = (share: Share): number => (share === 'all' ? 20 : 2)
