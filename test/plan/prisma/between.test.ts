import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isRefusal } from '../../../src/lib/refusal.ts'
import { makeAnyPlan } from '../../../src/plan/tool/tools.ts'
import { createDatabase, type TestDatabase } from '../../helpers/postgres.ts'
import { versionFiles } from '../../helpers/prisma-versions/files.ts'
import { createOrigin, type Origin } from '../application/origin.ts'

let database: TestDatabase
let origin: Origin

beforeEach(async () => {
  database = await createDatabase()
  origin = await createOrigin(database.url)
})
afterEach(async () => {
  await origin.close()
  await database.close()
})

async function planned(files: Readonly<Record<string, string>>): Promise<string | readonly string[]> {
  await origin.commit({ ...versionFiles('7.10.1', 'shop'), 'prisma/migrations/1_a/migration.sql': 'create table a (id int);\n', ...files })
  const made = await makeAnyPlan(origin.deps, { target: origin.target(), ref: null, steps: [], policy: 'p'.repeat(64) })
  return isRefusal(made) ? `${made.code}: ${made.text}` : made.plan.list.map(({ name }) => name)
}

const asking = (devDependencies: Readonly<Record<string, string>>) => ({
  'package.json': JSON.stringify({ name: 'shop', devDependencies }),
})
const lock = (version: string, dependencies: Readonly<Record<string, string>> = {}) => ({
  'package-lock.json': JSON.stringify({ packages: { 'node_modules/prisma': { version, dependencies } } }),
})
/** What Prisma 8 writes, beside what the old one still needs. */
const OF_8 = {
  'prisma.config.ts':
    "import { defineConfig } from '@prisma/orm-postgres'\nexport default defineConfig({ contract: 'src/prisma/contract.prisma' })\n",
  'src/prisma/contract.json': '{}',
  'migrations/app/20261130T0316_a/migration.json': '{}',
}
const OF_7 = { 'prisma7.config.ts': versionFiles('7.10.1', 'shop')['prisma.config.ts'] ?? '' }

describe('a repository between two versions of Prisma', () => {
  test('is planned as the one that it brings, with the configuration that is named for it', async () => {
    expect(await planned({ ...OF_8, ...OF_7, ...lock('7.10.1', { '@prisma/engines': '7.10.1' }) })).toEqual(['1_a'])
  })

  test('is refused when its Prisma does not know the configuration that is named for 7', async () => {
    expect(await planned({ ...OF_8, ...OF_7, ...asking({ prisma: '7.9.0' }) })).toBe(
      "repository_unfit: Prisma 7 takes the address of the database from `datasource.url` in `prisma.config.ts`, and `prisma.config.ts` has none. Add it (`datasource: { url: env('DATABASE_URL') }`), commit and ask again.",
    )
  })

  test('is refused with both of them installed, whichever is called prisma', async () => {
    const both = (own: string, name: string, range: string) =>
      `repository_unfit: \`package.json\` asks for prisma \`${own}\`, and also for \`${name}\` (\`${range}\`). Both install a program \`prisma\`, and which of them answers to that name depends on how they are installed, so it cannot be said which would run. Bring one of them: what the old one has pending is deployed with a commit from before the change (\`--ref\`); then remove it, commit and ask again.`
    expect(await planned({ ...OF_8, ...OF_7, ...asking({ prisma: '8.0.0-rc.19', prisma7: 'npm:prisma@7.10.1' }) })).toBe(
      both('8.0.0-rc.19', 'prisma7', 'npm:prisma@7.10.1'),
    )
    expect(await planned({ ...OF_7, ...asking({ prisma: '7.10.1', 'prisma-next': 'npm:prisma@8.0.0-rc.19' }) })).toBe(
      both('7.10.1', 'prisma-next', 'npm:prisma@8.0.0-rc.19'),
    )
  })

  test('is refused when its lock file disagrees with package.json, in either direction', async () => {
    const disagrees = (asked: string, settled: string) =>
      `repository_unfit: \`package.json\` asks for prisma \`${asked}\`, but \`package-lock.json\` settles it at \`${settled}\`, so the install stops or brings another version than this commit says. Run the install of your package manager (\`npm install\`), commit the lock file and ask again.`
    expect(await planned({ ...OF_8, ...OF_7, ...lock('8.0.0-rc.19') })).toBe(disagrees('7.10.1', '8.0.0-rc.19'))
    expect(await planned({ ...OF_8, ...OF_7, ...asking({ prisma: '^8.0.0' }), ...lock('7.10.1') })).toBe(disagrees('^8.0.0', '7.10.1'))
  })

  test('is refused with a build of the old command line under a number of 8, though files of Prisma 8 are there', async () => {
    expect(
      await planned({
        ...OF_8,
        ...OF_7,
        ...asking({ prisma: '8.1.0-dev.5' }),
        ...lock('8.1.0-dev.5', { '@prisma/engines': '8.1.0-dev.5' }),
      }),
    ).toBe(
      'repository_unfit: This commit brings Prisma `8.1.0-dev.5` (`package-lock.json`), which is not the runner of Prisma 8 but a build of the older command line (it depends on `@prisma/engines`). Lockkeeper knows Prisma 5, 6, 7 and the release candidate of 8, and starts no other. Ask for a commit with one of them (`--ref`), or update Lockkeeper.',
    )
  })
})
