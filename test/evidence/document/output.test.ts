import { createHash } from 'node:crypto'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readOutput } from '../../../src/evidence/document/output.ts'
import { createRedactor } from '../../../src/redact/redact.ts'

let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-output-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex')
const redactor = createRedactor(['correct-horse'])

test('an output that fits stands whole, redacted, with the SHA-256 of what stands there', async () => {
  const path = join(directory, 'short')
  await writeFile(path, 'url postgresql://shop:correct-horse@db/shop\ngrün\n')
  const text = 'url postgresql://shop:[redacted]@db/shop\ngrün\n'
  expect(await readOutput(path, redactor)).toEqual({
    kind: 'text',
    bytes: Buffer.byteLength(text),
    sha256: hashOf(text),
    head: text,
    tail: '',
    cut: 0,
  })
})

test('no output is said as such', async () => {
  expect(await readOutput(join(directory, 'none'), redactor)).toEqual({
    kind: 'missing',
    why: 'This machine has no output of this run: it has not begun, it printed nothing, another machine carried it, or its log is older than 90 days.',
  })
})

test('100 MB are cut to how they began and ended, hashed whole, and never held in memory', async () => {
  const path = join(directory, 'long')
  const line = `${'0123456789'.repeat(9)}correct-horse\n`
  const block = line.repeat(10_000)
  const file = await open(path, 'w')
  const blocks = Math.ceil(100_000_000 / block.length)
  const hash = createHash('sha256')
  const redacted = redactor.text(block)
  for (let written = 0; written < blocks; written++) {
    await file.write(block)
    hash.update(redacted)
  }
  await file.close()
  let most = 0
  const before = process.memoryUsage().rss
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20)
  const output = await readOutput(path, redactor)
  clearInterval(watch)
  if (output.kind !== 'text') throw new Error(output.why)
  expect(output.bytes).toBe(blocks * Buffer.byteLength(redacted))
  expect(output.sha256).toBe(hash.digest('hex'))
  expect(output.head).toBe(redacted.repeat(1).slice(0, 100_000))
  expect(output.tail).toBe(redacted.slice(redacted.indexOf('\n', redacted.length - 300_000) + 1))
  expect(output.cut).toBe(blocks * redacted.length - output.head.length - output.tail.length)
  expect(most - before).toBeLessThan(100_000_000)
})

test.each([65_530, 65_536 - 5, 100_000 - 3])('a secret that lies across two pieces, at %d, is found', async (at) => {
  const path = join(directory, `across-${at}`)
  await writeFile(path, `${'x'.repeat(at)}correct-horse${'y'.repeat(500_000)}`)
  const output = await readOutput(path, redactor)
  expect(JSON.stringify(output)).not.toMatch(/correct|horse/)
})
