import { readdirSync, readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { compareLive } from '../../../src/migrate/prisma/drift.ts'
import { readDeploy, readPulled } from '../../../src/migrate/prisma/output.ts'
import { prismaCommands } from '../../../src/migrate/prisma/prisma.ts'
import { until } from '../../helpers/until.ts'
import { hear } from './heard.ts'
import { ask, IN_USE, prepareReal } from './sides.ts'

beforeAll(prepareReal, 600_000)

const WITH_ENGINE = IN_USE.filter(({ version }) => version !== '6.19.3')

/** Programs in the place of an engine that work for the application in this directory. */
const enginesOf = (directory: string): readonly number[] =>
  readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) && isEngineOf(name, directory) ? [Number(name)] : []))

function isEngineOf(pid: string, directory: string): boolean {
  try {
    const [, program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return program.endsWith('/schema-engine.cjs') && args.some((arg) => arg.startsWith(directory))
  } catch {
    return false // it has ended
  }
}

describe.concurrent.each(WITH_ENGINE)('an engine of $version that dies', { timeout: 110_000 }, ({ version }) => {
  // 5 ends with 1; 7 mostly with 0 and no word of it, and sometimes with 1
  test('in the middle of a migration leaves a row without an end, and nothing that could be taken for a success', ({ task }) =>
    hear(version, { topic: 'engine', title: task.name }, async (heard) => {
      await heard.write('prisma/migrations/1_slow/migration.sql', 'select pg_sleep(60);\n')
      const working = `select pid from pg_stat_activity where query like 'select pg_sleep(60)%' and datname = current_database() and pid <> pg_backend_pid()`
      const { output } = await heard.prismaByChance('migrate deploy', async () => {
        await until('the migration runs', async () => (await ask(heard.url, working)).length === 1)
        for (const pid of enginesOf(heard.directory)) process.kill(pid, 'SIGKILL')
        await ask(heard.url, `select pg_terminate_backend(pid) from (${working}) sessions`)
      })
      expect(readDeploy(output).complete).toBe(false)
      await heard.left(
        ({ rows }) => rows('select migration_name, finished_at, logs from _prisma_migrations'),
        [{ migration_name: '1_slow', finished_at: null, logs: null }],
      )
    }))

  test('has not compared the live schema, whatever the CLI ends with', ({ task }) =>
    hear(version, { topic: 'engine', title: task.name }, async (heard) => {
      await heard.sql('create table orders (id int primary key)')
      heard.env['PRISMA_SCHEMA_ENGINE_BINARY'] = '/bin/false'
      const schema = 'prisma/schema.prisma'
      const drift = await compareLive({
        workspace: {
          tool: { commands: prismaCommands('prisma', schema), readPulled },
          ask: async ([, ...args]) => heard.prismaByChance(args.join(' ')),
        },
        cwd: heard.directory,
        session: { applicationName: 'test', lockTimeoutMs: 1_000, statementTimeoutMs: 1_000 },
        schema,
        directory: heard.directory,
        major: version === '7.10.1' ? 7 : 5,
        adapter: false,
      })
      expect(drift).toEqual({ kind: 'not-compared' })
    }))
})
