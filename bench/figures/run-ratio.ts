import { cp, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { git } from '../../playground/shop/repository.ts'
import { installCommand } from '../../playground/shop/application.ts'
import { backupData } from '../../src/run/steps/backup.ts'
import { launchBots } from '../../test/helpers/bots.ts'
import { startFlow, type Flow } from '../../test/helpers/flow.ts'
import { createDatabase, onServer } from '../../test/helpers/postgres.ts'
import { shopDatabase, shopModules } from '../../test/helpers/sample.ts'
import { query } from '../../test/helpers/target.ts'
import { atMost, median, type Measurement } from '../figure.ts'
import { commitLargeTables, fillLargeTables } from '../stage/large-shop.ts'
import { byHand } from '../stage/prisma.ts'
import { runIn, stepTimes } from '../stage/run.ts'

/**
 * A guarded run, from the click that approves to its recorded end, over the runbook's commands typed one right after the other by
 * somebody who never has to think: `pg_dump -Fc`, `npx prisma migrate status`, `deploy`, `status`. The same three migrations, the same
 * database (copied anew from one template for each), the same disk, the same PostgreSQL. Both have their dependencies: the person a
 * checkout with `node_modules`, the bot its cache of them, from which it makes a checkout of its own in the run. Ours also looks at 15
 * things first, reads the whole backup back, proves which database Prisma would change, and compares the schema afterwards.
 */
export const runRatio: Measurement = {
  figures: [
    { name: 'run-ratio', unit: 'times', aim: atMost(0.55) },
    { name: 'run-compression', unit: 'times', aim: null },
  ],
  async measure({ sized, say }) {
    const bytes = sized({ small: 10_000_000, full: 1_000_000_000 })
    const rounds = sized({ small: 1, full: 3 })
    await using stack = new AsyncDisposableStack()
    const template = await shopDatabase({ orders: 1_000 })
    stack.defer(template.close)
    await fillLargeTables(template.url, bytes)
    say(`${(bytes / 1e6).toLocaleString('en')} MB of rows are written`)
    const flow = await startFlow({
      orders: 1_000,
      launch: launchBots({}, () => {}),
      target: ({ repository }) => ({ source: { repository, branch: 'main', install: [...installCommand] }, deploy: [], health: [] }),
      async prepare({ repository, database }) {
        await commitLargeTables(repository)
        await fillLargeTables(database.url, 1_000)
      },
    })
    stack.defer(flow.close)
    const hand = await handOf(flow, stack)
    const fresh = () => copyAnew(template.name, flow.database.name)

    await runIn(flow) // the caches of both are warm from here on
    await fresh()
    await hand()
    const took: Record<'ours' | 'theirs', number[]> = { ours: [], theirs: [] }
    let sizes = ''
    let ratio = 0
    for (let round = 0; round < rounds; round++)
      for (const who of round % 2 === 0 ? (['theirs', 'ours'] as const) : (['ours', 'theirs'] as const)) {
        await fresh()
        const databaseBytes = await sizeOf(flow.database.url)
        if (who === 'theirs') {
          const { seconds, parts, dumpBytes } = await hand()
          took.theirs.push(seconds)
          ratio = databaseBytes / dumpBytes
          sizes = `${(databaseBytes / 1e6).toFixed(0)} MB of database in ${(dumpBytes / 1e6).toFixed(0)} MB of dump by hand`
          say(`by hand ${seconds.toFixed(1)} s: ${parts}`)
        } else {
          const run = await runIn(flow)
          took.ours.push((run.endedAt - run.clickedAt) / 1000)
          const backup = backupData.parse(run.steps.find(({ name }) => name === 'backup')?.data)
          say(
            `ours ${((run.endedAt - run.clickedAt) / 1000).toFixed(1)} s: ${stepTimes(run)}; ${(backup.bytes / 1e6).toFixed(0)} MB of files`,
          )
        }
      }
    return {
      'run-ratio': {
        value: median(took.ours) / median(took.theirs),
        note: `medians of ${rounds}: ours ${median(took.ours).toFixed(1)} s with the backup read back in full, by hand ${median(took.theirs).toFixed(1)} s without; three migrations`,
      },
      'run-compression': { value: ratio, note: sizes },
    }
  },
}

type ByHand = { readonly seconds: number; readonly parts: string; readonly dumpBytes: number }

/** A checkout with dependencies, as somebody has it who deploys by hand. */
async function handOf(flow: Flow, stack: AsyncDisposableStack): Promise<() => Promise<ByHand>> {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-bench-hand-'))
  stack.defer(() => rm(directory, { recursive: true, force: true }))
  const checkout = join(directory, 'shop')
  await git(directory, ['clone', '--quiet', flow.repository, checkout])
  await cp(await shopModules(), join(checkout, 'node_modules'), { recursive: true, verbatimSymlinks: true })
  const { url } = flow.database
  const at = new URL(url)
  const dump = join(directory, 'before.dump')
  const commands = [
    ['pg_dump', '-Fc', '-h', at.hostname, '-p', at.port, '-U', at.username, '-f', dump, at.pathname.slice(1)],
    ['npx', 'prisma', 'migrate', 'status'],
    ['npx', 'prisma', 'migrate', 'deploy'],
    ['npx', 'prisma', 'migrate', 'status'],
  ] as const
  return async () => {
    await rm(dump, { force: true })
    const times: number[] = []
    for (const [command, ...args] of commands) times.push((await byHand([command, ...args], checkout, url)) / 1000)
    return {
      seconds: times.reduce((sum, time) => sum + time, 0),
      parts: times.map((time, index) => `${commands[index]?.[0] === 'npx' ? commands[index][3] : 'pg_dump'} ${time.toFixed(1)}`).join(', '),
      dumpBytes: (await stat(dump)).size,
    }
  }
}

/** Under the same name, so that the configuration stays as it is; its pages lie in the cache of the system for either of the two. */
async function copyAnew(template: string, name: string): Promise<void> {
  await onServer(`drop database if exists ${name} with (force)`)
  await createDatabase({ template, name })
  await onServer('checkpoint')
}

async function sizeOf(url: string): Promise<number> {
  const [row] = await query<{ bytes: string }>(url, 'select pg_database_size(current_database()) as bytes')
  return Number(row?.bytes)
}
