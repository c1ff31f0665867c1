import type { Reactions } from '../../database/reactions.ts'
import type { TableSize } from '../../database/sizes.ts'
import type { MigrationClass } from '../../sql/effects/effect.ts'
import { reviewMigrations, worst, type MigrationEvidence } from '../../sql/review.ts'
import { readScript } from '../../sql/parse.ts'
import { isTransactionStatement, standsAlone } from '../../sql/transactions.ts'
import { quoted } from '../../lib/text/quoted.ts'
import { emitAgain } from './repository.ts'
import type { OperationClass, Package } from './package.ts'

/** What the SQL of the operations does, by our own reading, and never less than what Prisma says of them. */
export async function reviewPackages(
  packages: readonly Package[],
  context: { readonly sizes: readonly TableSize[]; readonly schema: string; readonly reactions: Reactions },
): Promise<readonly MigrationEvidence[]> {
  const reviews = await reviewMigrations(
    packages.map((one) => ({ name: one.name, content: sqlOf(one) })),
    context,
  )
  return reviews.map(({ concurrently: _concurrently, leaves: _leaves, inherits: _inherits, ...review }, at) => {
    const classes = packages[at]?.operations.map((operation) => CLASSES[operation.class]) ?? []
    return { ...review, class: worst([review.class, ...classes]) }
  })
}

const CLASSES: Readonly<Record<OperationClass, MigrationClass>> = {
  additive: 'additive',
  widening: 'additive',
  data: 'transformative',
  destructive: 'breaking',
}

/** The statements of a package in the order in which they are sent, each in a message of its own. */
export const sqlOf = ({ operations }: Pick<Package, 'operations'>): Buffer =>
  Buffer.from(operations.flatMap(({ execute }) => execute.map(({ sql }) => `${sql}\n;\n`)).join('')) // it may end with a comment

/** Everything that is pending runs in one transaction of Prisma's, which some statements cannot do and others would end. */
export async function whyNotInOne(files: { readonly directory: string }, packages: readonly Package[]): Promise<string | null> {
  for (const { name, operations } of packages)
    for (const { label, execute } of operations)
      for (const { sql } of execute) {
        const script = await readScript(Buffer.from(sql))
        if (script.kind === 'unreadable') continue // the review says so
        const again = `Take it out of migration.ts and write the package anew (${emitAgain(files, name)}), then ask again.`
        const at = script.statements.findIndex((node) => standsAlone(node) || isTransactionStatement(node))
        const node = script.statements[at]
        if (node === undefined) continue
        const statement = quoted(script.texts[at]?.trim() ?? '', 200)
        return standsAlone(node)
          ? `The operation ${quoted(label)} of ${quoted(name)} holds ${statement}, which PostgreSQL refuses inside a transaction (25001), and Prisma 8 runs all that is pending in one. ${again} Such a statement is run by hand.`
          : `The operation ${quoted(label)} of ${quoted(name)} holds ${statement}. Prisma 8 runs all that is pending in one transaction, which that would end, so a failure would leave a part of it applied. ${again}`
      }
  return null
}
