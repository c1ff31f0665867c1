import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { isRefusal } from '../../../src/lib/refusal.ts'
import { readRunnerFiles } from '../../../src/plan/prisma8/repository.ts'
import { fetchRepository } from '../../../src/plan/repository.ts'
import { prismaOf } from '../../../src/config/tool.ts'
import { createOrigin, type Origin } from '../application/origin.ts'
import { applicationFiles, FIRST, PHONE, THIRD } from './application.ts'

let origin: Origin

beforeAll(async () => {
  origin = await createOrigin()
  await origin.commit(applicationFiles())
  await origin.git('tag', 'whole')
})
beforeEach(() => origin.git('reset', '--quiet', '--hard', 'whole'))
afterAll(() => origin.close())

const ops = (name: string) => `migrations/app/${name}/ops.json`

async function read(target = origin.target()): Promise<string> {
  const repository = await fetchRepository(origin.deps, target)
  const found = isRefusal(repository) ? repository : await readRunnerFiles(repository, target, await origin.git('rev-parse', 'HEAD'))
  return isRefusal(found) ? `${found.code}: ${found.text}` : 'read'
}

describe('a repository is refused', () => {
  const edited = async (path: string, change: (content: string) => string) => {
    await origin.commit({ [path]: change(applicationFiles()[path] ?? '') })
    return read()
  }

  test('whose operations were changed by hand, with which and how to write them anew', async () =>
    expect(await edited(ops(PHONE), (content) => content.replace('text', 'int'))).toMatchInlineSnapshot(
      `"repository_unfit: The migration \`20261130T0319_phone\` is not what Prisma wrote: by migration.json its hash is \`f9f1b71c2fa8\`, by what migration.json and ops.json hold it is \`46303acb7bff\`. One of them was changed after it was written. Put the change into migration.ts, write both anew (\`node migrations/app/20261130T0319_phone/migration.ts\`), commit them and ask again."`,
    ))

  test('whose package lacks a file', async () => {
    await origin.commit({ [ops(PHONE)]: null, [`migrations/app/${PHONE}/migration.ts`]: '' })
    expect(await read()).toMatchInlineSnapshot(
      `"repository_unfit: The migration \`20261130T0319_phone\` has no ops.json. Write it anew (\`node migrations/app/20261130T0319_phone/migration.ts\`), commit it and ask again."`,
    )
  })

  test('whose files are not what they should be', async () => {
    expect(await edited(ops(PHONE), () => '{}')).toMatchInlineSnapshot(
      `"repository_unfit: ops.json of the migration \`20261130T0319_phone\` cannot be read: Invalid input: expected array, received object. Write it anew (\`node migrations/app/20261130T0319_phone/migration.ts\`), commit it and ask again."`,
    )
    await origin.git('reset', '--quiet', '--hard', 'whole')
    expect(await edited('src/prisma/contract.json', () => '{}')).toMatchInlineSnapshot(
      `"repository_unfit: The contract \`src/prisma/contract.json\` cannot be read: target: Invalid input: expected string, received undefined. Emit it again (\`npx prisma contract emit\`), commit and ask again."`,
    )
    await origin.git('reset', '--quiet', '--hard', 'whole')
    const snapshot = `migrations/snapshots/${FIRST}/contract.json`
    expect(await edited(snapshot, (content) => content.replaceAll(FIRST, THIRD))).toMatchInlineSnapshot(
      `"repository_unfit: The snapshot \`migrations/snapshots/d61aaa75cc150c621530a3f5bffe052b6685864e06546b23bf811c61a6f79574/contract.json\` cannot be used: it is of another contract, c3bf7ce541aa. Restore the file as Prisma wrote it and ask again."`,
    )
  })

  test('without a contract, or with two', async () => {
    await origin.commit({ 'src/prisma/contract.json': null })
    expect(await read()).toMatchInlineSnapshot(
      `"repository_unfit: There is no emitted contract (contract.json). Without it nobody knows where Prisma 8 would lead the database. Emit it (\`npx prisma contract emit\`), commit it and ask again; if it has another name, write that into \`tool.prisma.schema\` in lockkeeper.yaml."`,
    )
    const contract = applicationFiles()['src/prisma/contract.json'] ?? ''
    await origin.commit({ 'a/contract.json': contract, 'b/contract.json': contract })
    expect(await read()).toMatchInlineSnapshot(
      `"repository_unfit: There are several contracts: \`a/contract.json\` and \`b/contract.json\`. Say which is the target's: \`tool.prisma.schema\` in lockkeeper.yaml."`,
    )
    const named = origin.target({ tool: { prisma: { ...prismaOf(origin.target().tool), schema: 'b/contract.prisma' } } })
    expect(await read(named)).toBe('read')
  })

  test('whose migrations are links, or beside those of an extension', async () => {
    await origin.commit({ [ops(PHONE)]: null })
    await origin.link(ops(PHONE), '/etc/passwd')
    await origin.commit({})
    expect(await read()).toMatchInlineSnapshot(
      `"repository_unfit: \`migrations/app/20261130T0319_phone/ops.json\` is no regular file of the repository itself. Contract and migrations must be. Replace it and ask again."`,
    )
    await origin.commit({ [ops(PHONE)]: null })
    await origin.commit({ ...applicationFiles(), 'migrations/pgvector/refs/head.json': '{}' })
    expect(await read()).toMatchInlineSnapshot(
      `"repository_unfit: Beside the application's own migrations \`migrations\` has those of \`pgvector\`. Prisma 8 would run both, and Lockkeeper reads the application's only, so it cannot say what would run."`,
    )
  })
})
