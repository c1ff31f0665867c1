import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { git } from '../helpers/sample.ts'
import { createWorld, type World } from './world.ts'

let world: World

beforeAll(async () => {
  world = await createWorld()
})

beforeEach(async () => {
  await world.configure()
})

afterAll(() => world.close())

test('check says what it found and ends with 0 when a run has everything it needs', async () => {
  const { code, out, err } = await world.run(['check'])
  const head = (await git(world.repository, ['rev-parse', '--short=7', 'main'])).trim()
  expect(err).toBe('')
  expect(withoutVersions(out)).toBe(`ok    store: PostgreSQL 15.X
ok    Slack: connected to the workspace Harbor Goods
ok    channel #deploys: Lockkeeper can post there
ok    group S0DBA: 2 members
ok    prod: ${new URL(world.databaseUrl).pathname.slice(1)} on 127.0.0.1:PORT, 11 applied, 3 pending; main is at ${head}
ok    prod backup: pg_dump X for a server of version 15

Everything that a run needs is there.
`)
  expect(code).toBe(0)
})

/** The versions of this machine's programs, and the test server's port. */
const withoutVersions = (text: string) =>
  text
    .replace(/15\.\d+/, '15.X')
    .replace(/pg_dump [\d.]+/, 'pg_dump X')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
