import { userInfo } from 'node:os'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { until } from '../../helpers/until.ts'
import { startArena, type Arena } from './arena.ts'
import { rows, type Expected } from './rows.ts'

/** Each row that this transport can carry, against one running bot. */
export function attackOver(mode: Arena['mode'], arenaIs: (arena: Arena) => void): void {
  vi.setConfig({ testTimeout: 60_000 })
  let arena: Arena
  let state: unknown
  beforeAll(async () => {
    arena = await startArena(mode)
    arenaIs(arena)
    state = await arena.snapshot()
  })
  afterAll(() => arena?.close())

  describe(`every row of the catalogue over ${mode === 'http' ? 'signed HTTP' : 'Socket Mode'} is refused, written down once, and changes nothing`, () => {
    test.each(rows.filter((row) => isCarried(row, mode)).map((row) => [row.entry, row.row, row.attack, row] as const))(
      '%s, %s: %s',
      async (_entry, _row, _attack, row) => {
        const last = (await arena.audit()).at(-1)?.id ?? 0
        const since = async () =>
          (await arena.audit())
            .filter(({ id }) => id > last)
            .map(({ actor, act, result, entry }) => [actor.replace(`os:${userInfo().username}`, 'os:{login}'), act, result, entry])
        const told = await row.run(arena)
        expect(told).toBe(row.told)
        // a row about a refusal may follow the answer
        if (row.audit !== null) await until('it is in the audit', async () => (await since()).length > 0)
        expect(await since()).toEqual(row.audit === null ? [] : [[...row.audit, ENTRIES[row.entry]]])
        expect(await arena.snapshot()).toEqual(state)
      },
    )
  })
}

const isCarried = ({ entry, transport }: Expected, mode: Arena['mode']): boolean => {
  if (transport !== undefined) return transport === mode
  // the command line knows no transport, so once is enough
  return entry === 'HTTP' ? mode === 'http' : entry === 'command line' ? mode === 'socket' : true
}

/** What the audit calls the ways in. */
const ENTRIES = { HTTP: 'slash', 'slash command': 'slash', button: 'button', modal: 'modal', 'command line': 'cli' } as const
