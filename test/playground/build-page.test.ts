import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { buildPage } from '../../playground/build-page.ts'

test('the page builds once for the same sources and needs nothing from elsewhere', async () => {
  const first = await buildPage()
  const second = await buildPage()
  expect(second).toEqual({ directory: first.directory, isFresh: false })
  const html = await readFile(join(first.directory, 'index.html'), 'utf8')
  const sources = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address ?? '')
  expect(sources.length).toBeGreaterThanOrEqual(3)
  for (const address of sources) {
    expect(address.startsWith('/assets/')).toBe(true)
    const content = await readFile(join(first.directory, address), 'utf8')
    expect(content.length).toBeGreaterThan(0)
    expect(content).not.toContain('react-dom-client.development')
  }
})
