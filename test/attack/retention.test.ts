import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeCheckout } from '../../src/deploy/checkout.ts'
import { fetchRepository } from '../../src/plan/repository.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import { removeSettledRuns } from '../../src/run/retention.ts'
import { createStore } from '../helpers/postgres.ts'
import { shopRepository } from '../helpers/sample.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'lockkeeper-retention-'))
})
afterEach(() => rm(home, { recursive: true, force: true }))

test('a settled run leaves no checkout; one that needs a person, one under way and what is live keep theirs; old logs go', async () => {
  const store = await createStore()
  const shop = await shopRepository()
  try {
    const varDirectory = join(home, 'var')
    const deps = { home, varDirectory, redactor: createRedactor([]), env: process.env }
    await mkdir(varDirectory)
    const source = { repository: shop.path, branch: 'main', directory: '.', install: ['npm', 'ci'], installTimeout: 1, refs: [] }
    const repository = await fetchRepository(deps, { name: 'prod', source })
    if (isRefusal(repository)) throw new Error(repository.text)
    const commit = (await repository.git(['rev-parse', 'main'])).stdout.toString().trim()
    const states = ['succeeded', 'succeeded', 'failed', 'needs_human', 'cancelled', 'running'] as const
    for (const [index, state] of states.entries()) {
      const deploys = index === 1 ? [{ phase: 'deploy' }] : []
      await store.db.query(
        `insert into lockkeeper.request (token, target, requester, requester_human, channel, ask, state, plan, ended_at)
         values ($1, $2, 'U1', 'U1', 'C1', '{}', $3, $4, clock_timestamp() - $5 * interval '1 day')`,
        [`r_${index}`, state === 'running' ? 'other' : 'prod', state, JSON.stringify({ steps: deploys }), index === 4 ? 91 : 1],
      )
      await makeCheckout({ deps, repository: repository.directory, directory: checkout(index + 1), commit })
      await mkdir(run(index + 1), { recursive: true })
      await writeFile(join(run(index + 1), 'output.log'), 'log')
      for (const name of ['layout', 'compiled']) await mkdir(join(run(index + 1), name))
    }
    await mkdir(checkout(99)) // of no request that this store knows
    expect(await removeSettledRuns(store.db, deps)).toEqual([1, 3, 5])
    expect([1, 2, 3, 4, 5, 6, 99].filter((id) => existsSync(checkout(id)))).toEqual([2, 4, 6, 99])
    expect([1, 2, 3, 4, 5, 6].filter((id) => existsSync(join(run(id), 'output.log')))).toEqual([1, 2, 3, 4, 6])
    for (const name of ['layout', 'compiled']) expect([1, 2, 3, 4, 5, 6].filter((id) => existsSync(join(run(id), name)))).toEqual([2, 4, 6])
    expect((await repository.git(['worktree', 'list'])).stdout.toString().match(/checkouts\/\d+/g)).toEqual([
      'checkouts/2',
      'checkouts/4',
      'checkouts/6',
    ])
    expect(await removeSettledRuns(store.db, deps)).toEqual([])
  } finally {
    await shop.close()
    await store.close()
  }
})

const checkout = (id: number) => join(home, 'var', 'checkouts', String(id))
const run = (id: number) => join(home, 'var', 'runs', String(id))
