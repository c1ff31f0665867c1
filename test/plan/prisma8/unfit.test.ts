import { describe, expect, test } from 'vitest'
import type { Package } from '../../../src/plan/prisma8/package.ts'
import type { RunnerState } from '../../../src/plan/prisma8/state.ts'
import { runnerStatusOf } from '../../../src/plan/prisma8/status.ts'
import { hiddenText, whyNotRunnable } from '../../../src/plan/prisma8/unfit.ts'
import { CUSTOMERS, FIRST, NO_EMAIL, packageOf, PHONE, SECOND, THIRD } from './application.ts'

const [customers, phone, noEmail] = [CUSTOMERS, PHONE, NO_EMAIL].map(packageOf) as [Package, Package, Package]
const other = 'a'.repeat(64)

const empty: RunnerState = { marker: null, ledger: [], spaces: [], lockHeld: false, hasTables: false, olderRows: null }
const row = (one: Package, hash = one.hash.written) => ({ name: one.name, hash, from: one.from, to: one.to, appliedAt: new Date(0) })
const signed: RunnerState = { ...empty, marker: FIRST, ledger: [row(customers)], hasTables: true }

type Files = Parameters<typeof runnerStatusOf>[0]
const files = (
  changes: { readonly packages?: Files['packages']; readonly contract?: string; readonly snapshots?: readonly string[] } = {},
) => ({
  packages: changes.packages ?? [customers, noEmail, phone],
  contract: { hash: changes.contract ?? THIRD, namespaces: ['public'], path: 'src/prisma/contract.json', content: Buffer.from('') },
  snapshots: new Set(changes.snapshots ?? [FIRST, SECOND, THIRD]),
  directory: 'migrations',
})

const why = (state: RunnerState, found = files()) => {
  const refusal = whyNotRunnable({ target: { name: 'prod' }, files: found, status: runnerStatusOf(found, state) })
  return refusal === null ? null : `${refusal.code}: ${refusal.text}`
}

test('what is pending on a signed or an empty database may run', () => {
  expect(why(signed)).toBeNull()
  expect(why(empty)).toBeNull()
  expect(why({ ...signed, marker: THIRD })).toBeNull()
})

describe('a database is refused', () => {
  // proves lock: 8.0.0-rc.19
  test('that somebody migrates', () =>
    expect(why({ ...signed, lockHeld: true })).toMatchInlineSnapshot(
      `"target_unfit: Somebody runs \`prisma db migrate\` on \`prod\` right now: its lock is held. Wait until that ends and ask again."`,
    ))
  test('that has contracts of extensions', () =>
    expect(why({ ...signed, spaces: ['pgvector'] })).toMatchInlineSnapshot(
      `"target_unfit: \`prod\` also has the contracts of extensions (\`pgvector\`), which Lockkeeper does not read, so it cannot say what would run."`,
    ))
  test('that has tables and was never signed', () =>
    expect(why({ ...empty, hasTables: true })).toMatchInlineSnapshot(
      `"target_unfit: \`prod\` has tables, and Prisma 8 never signed it, so nobody can say which migrations they come from. Prisma 8 would run every migration from the first and take tables of the same name for its own. If its schema already equals the contract, sign it (\`npx prisma db sign\`) and ask again."`,
    ))
  test('that the older runner keeps', () =>
    expect(why({ ...empty, hasTables: true, olderRows: 12 })).toMatchInlineSnapshot(
      `"target_unfit: \`prod\` has the record of Prisma 5 to 7 (\`_prisma_migrations\`, 12 rows), and Prisma 8 never signed it. To hand it over, deploy what the old runner still has pending, emit the contract (\`npx prisma contract emit\`), sign the database (\`npx prisma db sign\`, which compares it and writes only \`prisma_contract\`) and ask again."`,
    ))
  test('to which a migration was applied that was written anew since', () =>
    expect(why({ ...signed, ledger: [row(customers, 'f'.repeat(64))] })).toMatchInlineSnapshot(
      `"target_unfit: \`20261130T0316_customers\` was applied to \`prod\` with another content than this commit has. An applied migration is never written anew: restore it as it was applied and plan the change as a new one (\`npx prisma migration plan\`)."`,
    ))
  test('that has a contract which no migration knows', () =>
    expect(why({ ...signed, marker: other })).toMatchInlineSnapshot(
      `"target_unfit: No migration of this commit knows the contract \`aaaaaaaaaaaa\`, which \`prod\` has. It was probably deployed from another branch. Merge that branch first, or ask with \`--ref\` for a commit that has its migrations."`,
    ))
})

describe('a commit is refused', () => {
  test('whose contract has no migration', () =>
    expect(why(signed, files({ contract: other }))).toMatchInlineSnapshot(
      `"repository_unfit: Contract and migrations of this commit disagree: no migration leads to the contract \`aaaaaaaaaaaa\`. Write one for what changed (\`npx prisma migration plan --from d61aaa75cc15\` begins where \`prod\` is), commit it and ask again."`,
    ))
  test('whose migrations lead to the contract from another branch of the graph', () =>
    expect(why({ ...signed, marker: THIRD }, files({ contract: FIRST }))).toMatchInlineSnapshot(
      `"repository_unfit: No way leads from the contract \`c3bf7ce541aa\`, which \`prod\` has, to the contract \`d61aaa75cc15\` of this commit: its migrations lead there from elsewhere only. If the commit is older than the database, ask for a newer one (\`--ref\`); else write a migration from where the database is (\`npx prisma migration plan --from c3bf7ce541aa\`), commit it and ask again."`,
    ))
  test('that has no migration from the beginning for an empty database', () =>
    expect(why(empty, files({ packages: [phone, noEmail] }))).toMatchInlineSnapshot(
      `"repository_unfit: No way leads from \`prod\`, which is empty, to the contract \`c3bf7ce541aa\` of this commit: its migrations lead there from elsewhere only. If the commit is older than the database, ask for a newer one (\`--ref\`); else write a migration from where the database is (\`npx prisma migration plan --from @empty\`), commit it and ask again."`,
    ))
  test('with two ways to the contract', () =>
    expect(
      why(signed, files({ packages: [customers, phone, noEmail, { ...phone, name: 'again', from: FIRST, to: THIRD }] })),
    ).toMatchInlineSnapshot(
      `"repository_unfit: Two ways lead from the contract \`d61aaa75cc15\`, which \`prod\` has, to the contract \`c3bf7ce541aa\`: Prisma would take the one over \`again\`, and another goes over \`20261130T0319_phone\`. They may do different things. Remove the one that is not meant and ask again."`,
    ))
  test('that leaves a migration out', () =>
    expect(why(signed, files({ contract: SECOND }))).toMatchInlineSnapshot(
      `"repository_unfit: \`20261130T0319_no_email\` does not lead to the contract \`f6d704da0e30\` of this commit, so Prisma would leave it out. If it belongs to this release, emit the contract with what it changes (\`npx prisma contract emit\`) or write it anew on top of the others (\`npx prisma migration plan\`); else remove it. Then ask again."`,
    ))
  test('without a snapshot on the way', () =>
    expect(why(signed, files({ snapshots: [FIRST, THIRD] }))).toMatchInlineSnapshot(
      `"repository_unfit: There is no snapshot of the contract \`f6d704da0e30\`, to which \`20261130T0319_phone\` leads. Restore \`migrations/snapshots/f6d704da0e3034f6ea056a6c328d50de640114f3fca4b833aa9868af226106e8/contract.json\` as Prisma wrote it, commit it and ask again."`,
    ))
})

test('what a role may not see is said, and nothing is concluded from it', () => {
  const said = (what: Parameters<typeof hiddenText>[1]['what']) => hiddenText({ name: 'prod' }, { kind: 'hidden', what, role: 'shop' })
  expect([said('schema'), said('ledger'), said('shape')]).toMatchInlineSnapshot(`
    [
      "The role \`shop\` of \`prod\` may not read the schema \`prisma_contract\`, Prisma 8's record, so it cannot be said what is applied and what is pending. Grant it (\`grant usage on schema prisma_contract to "shop"; grant select on all tables in schema prisma_contract to "shop"\`) and ask again.",
      "The role \`shop\` of \`prod\` may not read \`prisma_contract.ledger\`, Prisma 8's record, so it cannot be said what is applied and what is pending. Grant it (\`grant usage on schema prisma_contract to "shop"; grant select on all tables in schema prisma_contract to "shop"\`) and ask again.",
      "\`prisma_contract\` in the database of \`prod\` has another shape than Prisma 8's release candidate writes, so it cannot be said what is applied.",
    ]
  `)
})
