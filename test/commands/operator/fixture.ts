import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startWorkspace, type Workspace, type WorkspaceOptions } from '../../../playground/server/workspace.ts'
import { createDatabase } from '../../helpers/postgres.ts'
import { shopDatabase, shopRepository } from '../../helpers/sample.ts'
import { lockkeeper, type Ended } from './lockkeeper.ts'

/** What an operator has: a directory with lockkeeper.yaml, a workspace, a repository, a database with three migrations pending, a store. */
export type Fixture = {
  readonly directory: string
  readonly slack: Workspace
  readonly repository: string
  readonly databaseUrl: string
  readonly storeUrl: string
  readonly env: Readonly<Record<string, string>>
  /** Writes lockkeeper.yaml with these keys of the target in place of the usual ones. */
  readonly configure: (target?: Readonly<Record<string, unknown>>, rest?: Readonly<Record<string, unknown>>) => Promise<void>
  readonly run: (words: readonly string[], env?: Readonly<Record<string, string>>) => Promise<Ended>
  readonly close: () => Promise<void>
}

export async function createFixture(options: WorkspaceOptions = {}): Promise<Fixture> {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-operation-'))
  const [slack, repository, database, store] = await Promise.all([
    startWorkspace({ rateLimits: false, ...options }),
    shopRepository(),
    shopDatabase(),
    createDatabase(),
  ])
  const env = {
    SLACK_BOT_TOKEN: slack.tokens.bot,
    SLACK_APP_TOKEN: slack.tokens.app,
    SLACK_API_URL: slack.apiUrl,
    STORE_URL: store.url,
    PROD_DATABASE_URL: database.url,
  }
  const configure: Fixture['configure'] = (target = {}, rest = {}) =>
    writeFile(
      join(directory, 'lockkeeper.yaml'),
      JSON.stringify({
        ...rest,
        targets: {
          prod: {
            channel: 'C0DEPLOYS',
            source: { repository: repository.path },
            database: { url: 'env:PROD_DATABASE_URL' },
            tool: 'prisma',
            approvals: { from: ['group:S0DBA'] },
            ...target,
          },
        },
      }),
    )
  await configure()
  return {
    directory,
    slack,
    repository: repository.path,
    databaseUrl: database.url,
    storeUrl: store.url,
    env,
    configure,
    run: (words, more = {}) => lockkeeper(words, { cwd: directory, env: { ...env, ...more } }),
    async close() {
      await slack.close()
      await Promise.all([repository.close(), database.close(), store.close(), rm(directory, { recursive: true, force: true })])
    },
  }
}
