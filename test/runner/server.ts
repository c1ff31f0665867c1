import { mkdirSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startEmbedded } from '../../src/store/embedded.ts'
import { expectNothingLeft } from './left-behind.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string
    /** Below it is everything that the tests write into temporary directories, a directory for each file of tests. */
    scratch: string
  }
}

const COMPILED = join(import.meta.dirname, '../../.build/compiled')

/**
 * One PostgreSQL for all suites; each test makes a database of its own in it. Durability is off, since it is thrown away, and so
 * is what tidies up each of a few dozen databases once a minute. The first project
 * that needs it starts it for all. Whoever leaves a database or a process behind is named at the end, and the run has failed.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const all = project.vitest.getRootProject()
  if ('postgresUrl' in all.getProvidedContext()) return undefined
  const scratch = await mkdtemp(join(tmpdir(), 'lk-')) // short: sockets have names of 107 bytes at most
  await chmod(scratch, 0o711)
  // Node compiles the libraries of each worker, and of each child that inherits this, only once
  process.env['NODE_COMPILE_CACHE'] = COMPILED
  mkdirSync(COMPILED, { recursive: true })
  const server = await startEmbedded({
    directory: join(scratch, 'postgres'),
    env: { ...process.env, PATH: [process.env['PATH'], join(scratch, 'all')].join(delimiter) },
    settings: ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off', 'max_connections=400', 'autovacuum=off'],
  })
  all.provide('postgresUrl', server.url)
  all.provide('scratch', scratch)
  return async () => {
    try {
      await expectNothingLeft({ url: server.url, scratch })
    } finally {
      await server.remove()
      await rm(scratch, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}
