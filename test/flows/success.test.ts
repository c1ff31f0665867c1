import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { startFlow, type Flow } from '../helpers/flow.ts'

let flow: Flow | undefined

afterEach(async () => {
  await flow?.close()
  flow = undefined
})

test('asked, approved, backed up, migrated, deployed, healthy: from the command to the proof in the thread', async () => {
  flow = await startFlow()
  const request = await flow.ask('deploy prod --reason "Checkout needs discounts"')
  console.log(flow.cardText(request.id))
  console.log(await flow.approve(request.id))
  const done = await flow.reaches(request.id, ['succeeded', 'failed', 'needs_human'], 25_000).catch((e) => { console.log(flow?.log().slice(-6000)); console.log(flow?.thread(request.id)); throw e })
  await flow.drawn(request.id)
  console.log(flow.cardText(request.id))
  console.log(flow.thread(request.id).join('\n---\n'))
  console.log(flow.log().slice(-3000))
  expect(done.state).toBe('succeeded')
  expect(await readFile(join(flow.directory, 'live', 'live'), 'utf8')).toBe(done.plan?.commit)
})
