import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { git } from '../../playground/shop/repository.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { loadConfig } from '../../src/config/load.ts'
import { readTargetState } from '../../src/plan/make.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { isRefusal } from '../../src/lib/refusal.ts'
import { createDatabase } from '../../test/helpers/postgres.ts'
import type { PrismaVersion } from '../../test/helpers/prisma-versions/installed.ts'
import { prismaOf } from '../../test/helpers/prisma-versions/modules.ts'
import { createApplication, prisma } from '../../test/plan/application/application.ts'
import { atLeast, median, ms, type Measurement } from '../figure.ts'
import { byHand } from '../stage/prisma.ts'

const MIGRATIONS = 100

/** `npx prisma migrate status`, as the runbook has it, over what `/migrate status` reads, for each version that there is a CLI of. */
export const statusRatios: readonly Measurement[] = [
  statusRatio('status-ratio', '6.19.3'),
  statusRatio('status-ratio-5', '5.22.0'),
  statusRatio('status-ratio-7', '7.10.1'),
]

/**
 * What `/migrate status` reads: the branch fetched, the migrations as git objects, a new connection, the record, the database's identity,
 * locks and sizes. Both from the start to the answer.
 */
function statusRatio(name: string, version: PrismaVersion): Measurement {
  return {
    figures: [{ name, unit: 'times', aim: atLeast(15) }],
    async measure({ sized }) {
      await using stack = new AsyncDisposableStack()
      const migrations = Object.fromEntries(Array.from({ length: MIGRATIONS }, (_, index) => [nameOf(index), sqlOf(index)]))
      const home = await mkdtemp(join(tmpdir(), 'lockkeeper-bench-status-'))
      stack.defer(() => rm(home, { recursive: true, force: true }))
      const engine = engineTimes(join(home, 'engine-times'))
      const brought = await prismaOf(version, 'real')
      const application = await createApplication(migrations, { version, ...brought, env: { ...brought.env, ...engine.env } })
      stack.defer(application.close)
      const database = await createDatabase()
      stack.defer(database.close)
      const deployed = await prisma(application, database.url, 'migrate', 'deploy')
      if (deployed.code !== 0) throw new Error(deployed.text)
      await application.write('.gitignore', 'node_modules\n')
      await git(application.directory, ['init', '--quiet', '--initial-branch=main', '.'])
      await git(application.directory, ['add', '--all'])
      await git(application.directory, [
        '-c',
        'user.name=Bench',
        '-c',
        'user.email=bench@example.com',
        'commit',
        '--quiet',
        '-m',
        'All of it',
      ])

      const ours = await reader(home, application.directory, database.url)
      const theirs = (): Promise<number> =>
        byHand(['npx', 'prisma', 'migrate', 'status'], application.directory, database.url, application.env)
      const direct = () => byHand(['node_modules/.bin/prisma', 'migrate', 'status'], application.directory, database.url, application.env)
      const times: Record<'theirs' | 'ours' | 'direct', number[]> = { theirs: [], ours: [], direct: [] }
      for (let round = 0; round <= sized({ small: 2, full: 7 }); round++) {
        const took = { theirs: await theirs(), ours: await ours(), direct: await direct() }
        if (round === 0) continue // both have their caches warm from then on
        for (const who of ['theirs', 'ours', 'direct'] as const) times[who].push(took[who])
      }
      const [npx, own, bin] = [median(times.theirs), median(times.ours), median(times.direct)]
      const inEngine = await engine.median()
      const standIn =
        inEngine === null
          ? ''
          : `; ${ms(inEngine)} of theirs are the engine's, a program of Node in place of the native one: ${((npx - inEngine) / own).toFixed(1)} times ours without any engine`
      return {
        [name]: {
          value: npx / own,
          note: `Prisma ${version}, ${MIGRATIONS} migrations, medians of ${times.ours.length}: npx prisma migrate status ${ms(npx)}, ours ${ms(own)} with fetching the branch and connecting; without npx theirs takes ${ms(bin)}, ${(bin / own).toFixed(1)} times ours${standIn}`,
        },
      }
    },
  }
}

/** How long engines lived that were started as programs; two for each `migrate status`. */
function engineTimes(file: string) {
  return {
    env: { LOCKKEEPER_TEST_ENGINE_TIMES: file },
    async median(): Promise<number | null> {
      const lines = await readFile(file, 'utf8').catch(() => '')
      const lives = lines.split('\n').flatMap((line) => (line === '' ? [] : Number(line)))
      const starts = lives.flatMap((life, at) => (at % 2 === 1 ? life + (lives[at - 1] ?? 0) : []))
      return starts.length === 0 ? null : median(starts)
    },
  }
}

const nameOf = (index: number) => `20260101${String(index).padStart(6, '0')}_step_${index}`

const sqlOf = (index: number) =>
  `-- what: table ${index}\n-- why: a history of ordinary length\ncreate table "table_${index}" (id int primary key, name text not null);\n`

async function reader(home: string, repository: string, url: string): Promise<() => Promise<number>> {
  const env = { PROD_DATABASE_URL: url }
  const path = join(home, 'lockkeeper.yaml')
  const target = {
    label: 'Production',
    channel: 'C0DEPLOYS',
    source: { repository, branch: 'main' },
    database: { url: 'env:PROD_DATABASE_URL' },
    tool: 'prisma',
    approvals: { from: ['user:U0BOB'] },
  }
  await writeFile(path, JSON.stringify({ targets: { prod: target } }))
  const config = loadConfig(path, env)
  const prod = config.targets.get('prod')
  if (prod === undefined) throw new Error('the target is missing')
  const deps = {
    home,
    varDirectory: config.varDirectory,
    secret: config.secret,
    redactor: createRedactor([]),
    clock: systemClock,
    env: process.env,
  }
  return async () => {
    const began = performance.now()
    const read = await readTargetState(deps, prod, null, 'status')
    const took = performance.now() - began
    if (isRefusal(read)) throw new Error(read.text)
    if (read.status.applied.length !== MIGRATIONS) throw new Error(`it read ${read.status.applied.length} migrations`)
    return took
  }
}
