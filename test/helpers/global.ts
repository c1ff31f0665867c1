import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startEmbedded } from '../../src/store/embedded.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    postgresUrl: string
  }
}

/** One PostgreSQL for all suites; each test makes a database of its own in it. Durability is off, since it is thrown away. */
export default async function setup(project: TestProject) {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-test-postgres-'))
  const server = await startEmbedded({
    directory,
    env: process.env,
    settings: ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off', 'max_connections=400'],
  })
  project.provide('postgresUrl', server.url)
  return async () => {
    await server.remove()
    await rm(directory, { recursive: true, force: true })
  }
}
