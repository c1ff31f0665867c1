import { expect, test } from 'vitest'
import { schemaLines, setAsideLines } from '../../commands/verbs/status/record.ts'
import type { SetAside } from '../../src/live-schema/set-aside.ts'
import type { Target } from '../../src/config/config.ts'

const note: SetAside = {
  kind: 'column',
  name: 'orders._deprecated_note',
  sql: { table: 'public.orders', column: '_deprecated_note' },
  since: '2026-11-30',
  until: '2026-12-30',
}

test('what was set aside waits for its day, is due after it, and needs one', () => {
  expect(setAsideLines([note, { ...note, name: 'orders._deprecated_old', until: null, since: null }], '2026-12-30')).toEqual([
    '• Set aside: the column `orders._deprecated_note`, until 2026-12-30. Nothing is to be done before that.',
    "• Set aside: the column `orders._deprecated_old`, and its comment does not say until when. Give it one with a day, as in `COMMENT ON COLUMN public.orders._deprecated_note IS 'Drop it after 2026-12-31.'`.",
  ])
  expect(setAsideLines([note], '2026-12-31')).toEqual([
    '• *Set aside: the column `orders._deprecated_note`, and its time has passed* (2026-12-30). If nothing has missed it, drop it with a migration: `ALTER TABLE public.orders DROP COLUMN _deprecated_note;`',
  ])
})

test('what is due comes first, and many are counted', () => {
  const many = Array.from({ length: 7 }, (_, at): SetAside => ({ ...note, name: `t${at}`, until: at === 6 ? '2026-01-01' : '2027-01-01' }))
  const lines = setAsideLines(many, '2026-12-31')
  expect(lines).toHaveLength(6)
  expect(lines[0]).toContain('`t6`, and its time has passed')
  expect(lines[5]).toBe('• … and 2 more that were set aside')
})

test('a fault while looking is for the log, and status says the rest', async () => {
  const faults: unknown[] = []
  const deps = { lookLive: () => Promise.reject(new Error('gone')), onFault: (error: unknown) => void faults.push(error), db: {} as never }
  expect(await schemaLines(deps, { timezone: 'UTC' } as Target)).toEqual([])
  expect(faults).toEqual([new Error('gone')])
  expect(await schemaLines({ ...deps, lookLive: async () => null }, { timezone: 'UTC' } as Target)).toEqual([])
})
