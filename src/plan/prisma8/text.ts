import { count } from '../../lib/text/quoted.ts'
import { oneLine } from '../../lib/text/text.ts'
import type { MigrationEvidence } from '../../sql/review.ts'
import { sha256 } from '../files.ts'
import { visibleSql } from '../pending-sql.ts'
import type { Operation, Package, Step } from './package.ts'

/** The operations of the pending packages as one text for the thread, each with Prisma's class, its checks and all hashes. */
export function pendingOperations(
  packages: readonly Package[],
  about: { readonly target: string; readonly commit: string; readonly version: string; readonly evidence: readonly MigrationEvidence[] },
): string {
  const head = `-- ${count(packages.length, 'pending migration')} of ${about.target} at commit ${about.commit}, for Prisma ${about.version}, in one transaction\n`
  return [head, ...packages.map((one) => onePackage(one, about.evidence.find(({ name }) => name === one.name)?.findings ?? []))].join('\n')
}

function onePackage(one: Package, findings: readonly string[]): string {
  return [
    `-- migration ${one.name}`,
    `-- from contract ${one.from ?? 'of an empty database'}`,
    `-- to contract ${one.to}`,
    `-- migrationHash ${one.hash.written}`,
    `-- SHA-256 of ops.json ${sha256(one.files.operations)}`,
    `-- SHA-256 of migration.json ${sha256(one.files.metadata)}`,
    ...findings.map((finding) => `-- found: ${visibleSql(oneLine(finding))}`),
    '',
    operationsText(one),
  ].join('\n')
}

/** What a package runs, as SQL to be read: the checks stand as comments, since Prisma asks them by themselves. */
export const operationsText = ({ operations }: Pick<Package, 'operations'>): string =>
  operations.length === 0 ? '-- no operation\n' : `${operations.map(oneOperation).join('\n\n')}\n`

const oneOperation = ({ label, class: kind, precheck, execute, postcheck }: Operation): string =>
  [
    `-- ${kind}: ${shown(label)}`,
    ...precheck.map((step) => check('must be true before', step)),
    ...execute.map(({ sql, params }) => `${ended(visibleSql(sql).trimEnd())}${withParams(params)}`),
    ...postcheck.map((step) => check('must be true after', step)),
  ].join('\n')

/** To be read, not to be run: it may end with a comment. */
const ended = (sql: string): string => (sql.endsWith(';') ? sql : `${sql};`)

const withParams = (params: Step['params']): string =>
  params === undefined || params.length === 0 ? '' : `\n--   with ${shown(JSON.stringify(params))}`

const check = (when: string, { description, sql, params }: Step): string =>
  `-- ${when}: ${shown(description)}\n${visibleSql(sql)
    .trim()
    .split('\n')
    .map((line) => `--   ${line}`)
    .join('\n')}${withParams(params)}`

/** In one line, so that nothing of it stands outside of the comment. */
const shown = (text: string): string => visibleSql(oneLine(text))
