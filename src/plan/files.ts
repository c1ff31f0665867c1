import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import type { Target } from '../config/config.ts'
import { prismaOf, type PrismaSettings } from '../config/tool.ts'
import { isRefusal, refuse, type Refusal } from '../lib/refusal.ts'
import { bringsPrisma8, dependenciesOf, saysWhich, sourcesOf, textIn } from './brings.ts'
import { filesInLfs, isRegular, isRegularAt, readBlobs, readTree, type Tree } from './git.ts'
import type { Repository } from './repository.ts'
import { isLfsPointer } from '../lib/git.ts'
import { comparing, orderOf, sendsOneScript, type Order } from './prisma/order.ts'
import { CONFIG_FILES } from './prisma/config.ts'
import { readSchema } from './prisma/schema.ts'
import { chooseConfig, whyLedElsewhere } from './prisma/unfit.ts'
import { prismaVersions, whyVersionUnfit } from './prisma/version.ts'
import { code, inShell } from '../lib/text/code.ts'
import { listed, quoted } from '../lib/text/quoted.ts'

export type MigrationFile = {
  readonly name: string
  /** The raw bytes of migration.sql. */
  readonly content: Buffer
  /** SHA-256 in hex of the raw bytes, as Prisma records it. */
  readonly sha256: string
  /** Of the same text with the other line endings, which Prisma accepts too; and of what it makes of bytes that are no UTF-8. */
  readonly otherEndings: readonly string[]
  readonly rollback: { readonly content: Buffer; readonly sha256: string } | null
  /** The ending of a file that is a program and no SQL. */
  readonly program?: string
}

export type ApplicationFiles = {
  /** In the order in which Prisma runs them. */
  readonly migrations: readonly MigrationFile[]
  readonly order: Order
  /** Whether it is certain that this Prisma sends a file as one script. */
  readonly oneScript: boolean
  /** The schema file, or all files of a schema directory joined. */
  readonly schema: string
  /** Files of the application of which git has a pointer of Git LFS only. */
  readonly inLfs: readonly string[]
  /** PostgreSQL schemas that the datasource names (`schemas = […]`); empty when it names none. */
  readonly databaseSchemas: readonly string[]
  /** Tables that `prisma.config.ts` says are others' (`schema.table`); those that it computes are not known. */
  readonly externalTables: readonly string[]
}

export type FilesTarget = Pick<Target, 'name' | 'source' | 'tool'>

/** Reads what a plan needs from the objects of a commit, and refuses what Prisma could not run or what would lead it elsewhere. */
export async function readFiles(repository: Repository, target: FilesTarget, commit: string): Promise<ApplicationFiles | Refusal> {
  const settings = prismaOf(target.tool)
  const paths = pathsOf(target, settings)
  if (isRefusal(paths)) return paths
  const tree = await readTree(repository.git, commit)
  if (await bringsPrisma8(repository, tree, paths.application)) return refuse('other_runner', otherRunner(commit))
  const unfit = whyUnfit(tree, paths, commit)
  if (unfit !== null) return refuse('repository_unfit', unfit)
  const directories = migrationDirectories(tree, paths)
  if (isRefusal(directories)) return directories
  const schemaPaths = schemaFiles(tree, paths.schema)
  const { packages, lockFiles } = saysWhich(tree, paths.application)
  const configs = CONFIG_FILES.map((name) => posix.join(paths.application, name)).filter((path) => isRegularAt(tree, path))
  const lock = posix.join(paths.migrations, 'migration_lock.toml')
  const wanted = [
    ...directories.flatMap(({ sql, rollback }) => (rollback === null ? [sql] : [sql, rollback])),
    ...schemaPaths,
    ...packages,
    ...lockFiles,
    ...configs,
    ...(tree.has(lock) ? [lock] : []),
  ]
  const content = await readBlobs(repository.git, tree, wanted)
  if (isRefusal(content)) return content
  const pointer = wanted.find((path) => isLfsPointer(content(path)))
  if (pointer !== undefined) return refuse('repository_unfit', lfsText(pointer))
  const text = textIn(content)
  const schema = schemaPaths.map(text).join('\n')
  const brought = sourcesOf(paths.application, packages, lockFiles, text)
  const versions = prismaVersions(brought)
  const config = chooseConfig(paths.application, versions, (path) => configs.includes(path), text)
  const { urls } = settings
  const problem =
    noPrisma(packages, text, paths) ??
    whyVersionUnfit(brought) ??
    wrongProvider(tree.has(lock) ? text(lock) : null) ??
    whyLedElsewhere({ schema: { path: paths.schema, text: schema }, config, versions, urls, migrations: paths.migrations })
  if (problem !== null) return refuse('repository_unfit', problem)
  const order = orderOf(versions)
  const inOrder = comparing(order)
  const migrations = directories
    .map(({ name, sql, rollback }) => migrationFile(name, content(sql), rollback === null ? null : content(rollback)))
    .sort((a, b) => inOrder(a.name, b.name))
  const inLfs = await filesInLfs(repository.git, tree, commit, paths.application)
  if (isRefusal(inLfs)) return inLfs
  return {
    migrations,
    order,
    oneScript: sendsOneScript(versions),
    inLfs: inLfs.map(({ path }) => path),
    schema,
    databaseSchemas: readSchema(schema).databaseSchemas,
    externalTables: config?.facts.externalTables ?? [],
  }
}

/** Not met by people: whoever plans goes on with what reads such a commit (`tool/`). */
const otherRunner = (commit: string) =>
  `Commit ${quoted(commit.slice(0, 10))} brings Prisma 8, whose migrations are other files than those of 5 to 7. Ask again.`

/** Exported for tests and for whoever has the bytes of a migration at hand. */
export function migrationFile(name: string, content: Buffer, rollback: Buffer | null): MigrationFile {
  return {
    name,
    content,
    sha256: sha256(content),
    otherEndings: otherForms(content).map(sha256),
    rollback: rollback === null ? null : { content: rollback, sha256: sha256(rollback) },
  }
}

export const sha256 = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex')

const lfsText = (path: string) =>
  `${quoted(path)} is a pointer of Git LFS in place of the file, and what is planned is read from git alone. Take it out of LFS (${code(`git lfs untrack ${inShell(`*${posix.extname(path)}`)} && git add --renormalize .`)}), commit and ask again.`

type Paths = { readonly application: string; readonly schema: string; readonly migrations: string }

function pathsOf(target: FilesTarget, settings: PrismaSettings): Paths | Refusal {
  const application = posix.normalize(target.source.directory)
  const inside = (path: string) => posix.join(application, path)
  const paths = { application, schema: inside(settings.schema), migrations: inside(settings.migrations) }
  const outside = [target.source.directory, settings.schema, settings.migrations].find((path) => posix.isAbsolute(path))
  const escaping = Object.values(paths).find((path) => path === '..' || path.startsWith('../'))
  if (outside === undefined && escaping === undefined) return paths
  return refuse(
    'repository_unfit',
    `The path ${quoted(outside ?? escaping ?? '')} of ${quoted(target.name)} leads out of its repository. Correct \`source.directory\` or \`tool.prisma\` in lockkeeper.yaml.`,
  )
}

function whyUnfit(tree: Tree, paths: Paths, commit: string): string | null {
  const at = `Commit ${quoted(commit.slice(0, 10))}`
  // Prisma loads the first three by itself and would then migrate the database that they name
  const places = new Set([paths.application, posix.dirname(paths.schema), posix.join(paths.application, 'prisma'), '.'])
  const environment = [...tree.keys()].find((path) => posix.basename(path).toLowerCase() === '.env' && places.has(posix.dirname(path)))
  if (environment !== undefined)
    return `${at} tracks ${quoted(environment)}. Prisma reads it and would migrate the database that it names. Remove it from the repository (${code(`git rm --cached -- ${inShell(environment)}`)}) and ask again.`
  const roots = [paths.migrations, paths.schema, posix.join(paths.application, 'package.json')]
  for (const [path, entry] of tree) {
    const concerns = roots.some((root) => path === root || path.startsWith(`${root}/`) || root.startsWith(`${path}/`))
    if (concerns && !isRegular(entry))
      return `${at} has ${entry.mode === '120000' ? 'a symbolic link' : 'a submodule'} at ${quoted(path)}. Schema and migrations must be regular files of the repository itself.`
  }
  if (schemaFiles(tree, paths.schema).length === 0)
    return `${at} has no ${quoted(paths.schema)}. Correct \`source.directory\` or \`tool.prisma.schema\` in lockkeeper.yaml.`
  return null
}

/** A schema may be a file or a directory of .prisma files. */
function schemaFiles(tree: Tree, path: string): readonly string[] {
  if (tree.has(path)) return [path]
  return [...tree.keys()].filter((file) => file.startsWith(`${path}/`) && file.endsWith('.prisma'))
}

type Directory = { readonly name: string; readonly sql: string; readonly rollback: string | null }

function migrationDirectories(tree: Tree, paths: Paths): readonly Directory[] | Refusal {
  const prefix = paths.migrations === '.' ? '' : `${paths.migrations}/`
  const inside = [...tree.keys()].filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length).split('/'))
  const names = [...new Set(inside.flatMap(([name, ...rest]) => (name === undefined || rest.length === 0 ? [] : [name])))].sort()
  const incomplete = names.find((name) => !tree.has(`${prefix}${name}/migration.sql`))
  if (incomplete !== undefined)
    return refuse(
      'repository_unfit',
      `The migration ${quoted(incomplete)} has no migration.sql. Prisma stops at it (P3015). Add the file or remove the directory.`,
    )
  const odd = names.find((name) => name === '..' || name === '.' || name.length > 255 || /[\p{Cc}\p{Cf}\\\ufffd]/u.test(name))
  if (odd !== undefined)
    return refuse(
      'repository_unfit',
      `The name of the migration ${quoted(odd)} holds characters that cannot be shown or recorded. Rename it.`,
    )
  return names.map((name) => {
    const rollback = `${prefix}${name}/rollback.sql`
    return { name, sql: `${prefix}${name}/migration.sql`, rollback: tree.has(rollback) ? rollback : null }
  })
}

function noPrisma(packages: readonly string[], text: (path: string) => string, paths: Paths): string | null {
  const own = posix.join(paths.application, 'package.json')
  if (!packages.includes(own)) return `There is no ${quoted(own)}. Correct \`source.directory\` in lockkeeper.yaml.`
  const broken = packages.find((path) => dependenciesOf(text(path)) === null)
  if (broken !== undefined) return `${quoted(broken)} is not valid JSON, so its dependencies cannot be read. Correct it and ask again.`
  if (packages.some((path) => dependenciesOf(text(path))?.has('prisma'))) return null
  return `${listed(packages)} ${packages.length === 1 ? 'does' : 'do'} not list prisma among dependencies or devDependencies, so the application brings no migration tool. Add it (\`npm install --save-dev prisma\`) and ask again.`
}

function wrongProvider(lock: string | null): string | null {
  if (lock === null) return null
  const provider = /^\s*provider\s*=\s*"([^"]*)"/m.exec(lock)?.[1]
  if (provider === 'postgresql' || provider === 'postgres') return null
  return `migration_lock.toml says that the migrations are for ${quoted(provider ?? 'nothing')}, not for postgresql. Lockkeeper migrates PostgreSQL only.`
}

/** Since 6.6 Prisma reads a file as text, with a replacement character for what is no UTF-8, and its checksum is of that. */
function otherForms(content: Buffer): readonly Buffer[] {
  const asRead = Buffer.from(content.toString('utf8'))
  return asRead.equals(content) ? lineEndings(content) : [...lineEndings(content), asRead, ...lineEndings(asRead)]
}

/** The text with LF and with CRLF throughout, where that differs from the raw bytes. */
function lineEndings(content: Buffer): readonly Buffer[] {
  const text = content.toString('latin1') // one character a byte, so that nothing is lost on the way back
  const lf = text.replaceAll('\r\n', '\n')
  return [lf, lf.replaceAll('\n', '\r\n')].filter((variant) => variant !== text).map((variant) => Buffer.from(variant, 'latin1'))
}
