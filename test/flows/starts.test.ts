import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { countingNode, type CountingNode } from '../helpers/counting-node.ts'
import { startFlow, type Flow } from '../helpers/flow.ts'
import { shopModules } from '../helpers/sample.ts'

/** A whole run starts a dozen real programs; two of them on a busy machine take longer than a test of one part. */
vi.setConfig({ testTimeout: 180_000 })

let flow: Flow
const counted = new Map<string, CountingNode>()

beforeAll(async () => {
  const modules = await shopModules()
  const counting = (name: string) => ({
    target: ({ directory, repository }: { readonly directory: string; readonly repository: string }) => {
      const node = countingNode(join(directory, `node-${name}`))
      counted.set(name, node)
      return { source: { repository, branch: 'main', install: ['cp', '-al', modules, 'node_modules'], path: node.path } }
    },
  })
  // production lacks three migrations, the last of them concurrent; staging only that one
  flow = await startFlow({ ...counting('prod'), targets: { staging: { pending: 1, ...counting('staging') } } })
})
afterAll(() => flow?.close())

const SCHEMA = '--schema prisma/schema.prisma'

test('a whole run with one group of migrations starts the CLI three times', async () => {
  const request = await flow.ask('deploy staging')
  await flow.approve(request.id)
  await flow.reaches(request.id, 'succeeded')
  expect(counted.get('staging')?.prisma()).toEqual([`migrate status ${SCHEMA}`, `migrate deploy ${SCHEMA}`, `db pull --print ${SCHEMA}`])
})

test('each further group is one start more', async () => {
  const request = await flow.ask('deploy prod')
  await flow.approve(request.id)
  await flow.reaches(request.id, 'succeeded')
  expect(counted.get('prod')?.prisma()).toEqual([
    `migrate status ${SCHEMA}`,
    `migrate deploy ${SCHEMA}`,
    `migrate deploy ${SCHEMA}`,
    `db pull --print ${SCHEMA}`,
  ])
})
