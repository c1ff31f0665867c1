import { posix } from 'node:path'
import type { Target } from '../../config/config.ts'
import { isRefusal, refuse, type Refusal } from '../../lib/refusal.ts'
import { code, inShell } from '../../lib/text/code.ts'
import { listed, plainText, quoted } from '../../lib/text/quoted.ts'
import { escapeMarkup } from '../../lib/text/escape.ts'
import { readSources } from '../brings.ts'
import { filesInLfs, isRegular, isRegularAt, readBlobs, readTree, type Tree } from '../git.ts'
import type { Repository } from '../repository.ts'
import { readContract, type Contract } from './contract.ts'
import { isUnreadable, readPackage, type Package } from './package.ts'
import { settledRunner } from './version.ts'
import { prismaOf } from '../../config/tool.ts'

/** What a commit brings for the runner of Prisma 8, all of it from git objects. */
export type RunnerFiles = {
  readonly contract: Contract & { readonly path: string; readonly content: Buffer }
  /** By their names; the order in which they run is that of the graph. */
  readonly packages: readonly Package[]
  /** The files of the contracts of which there is a snapshot, by their hashes. */
  readonly snapshots: ReadonlyMap<string, Buffer>
  /** The exact version that the commit settles on. */
  readonly prisma: string
  /** The directory of migrations, from the root of the repository. */
  readonly directory: string
  /** Files of the application of which git has a pointer of Git LFS only. */
  readonly inLfs: readonly string[]
  /** The application's, from which commands are typed. */
  readonly application: string
}

/**
 * Reads packages and contract of a commit, and refuses what Prisma would refuse or what is not what it wrote. `prisma.config.ts`, which says
 * where they are, is code and is not run: they are looked for, and `tool.prisma` in lockkeeper.yaml decides where there are several.
 */
export async function readRunnerFiles(
  repository: Pick<Repository, 'git'>,
  target: Pick<Target, 'source' | 'tool'>,
  commit: string,
): Promise<RunnerFiles | Refusal> {
  const tree = await readTree(repository.git, commit)
  const application = posix.normalize(target.source.directory)
  const sources = await readSources(repository, tree, application)
  if (isRefusal(sources)) return sources
  const prisma = settledRunner(sources)
  if (typeof prisma !== 'string') return unfit(prisma.why)
  const places = placesIn(tree, application, target)
  if (isRefusal(places)) return places
  const { directory, contract: path } = places
  const names = packagesIn(tree, `${directory}/app`)
  const irregular = [path, ...names.flatMap((name) => filesOf(directory, name))].find((file) => tree.has(file) && !isRegularAt(tree, file))
  if (irregular !== undefined)
    return unfit(
      `${quoted(irregular)} is no regular file of the repository itself. Contract and migrations must be. Replace it and ask again.`,
    )
  const extensions = spacesIn(tree, directory)
  if (extensions.length > 0)
    return unfit(
      `Beside the application's own migrations ${quoted(directory)} has those of ${listed(extensions)}. Prisma 8 would run both, and Lockkeeper reads the application's only, so it cannot say what would run.`,
    )
  const snapshotPath = (hash: string) => `${directory}/snapshots/${hash}/contract.json`
  const snapshots = below(tree, `${directory}/snapshots`).flatMap(([hash = '', file]) =>
    file === 'contract.json' && isRegularAt(tree, snapshotPath(hash)) ? [hash] : [],
  )
  const wanted = [
    path,
    ...snapshots.map(snapshotPath),
    ...names.flatMap((name) => filesOf(directory, name).filter((file) => tree.has(file))),
  ]
  const content = await readBlobs(repository.git, tree, wanted)
  if (isRefusal(content)) return content
  const packages = readPackages({ tree, directory, names, content })
  if (isRefusal(packages)) return packages
  const contract = readContract(content(path))
  if ('why' in contract)
    return unfit(
      `The contract ${quoted(path)} cannot be read: ${said(contract.why)}. Emit it again (${code('npx prisma contract emit')}), commit and ask again.`,
    )
  for (const hash of snapshots) {
    const snapshot = readContract(content(snapshotPath(hash)))
    const why =
      'why' in snapshot ? snapshot.why : snapshot.hash === hash ? null : `it is of another contract, ${snapshot.hash.slice(0, 12)}`
    if (why !== null)
      return unfit(
        `The snapshot ${quoted(snapshotPath(hash), 200)} cannot be used: ${said(why)}. Restore the file as Prisma wrote it and ask again.`,
      )
  }
  const inLfs = await filesInLfs(repository.git, tree, commit, application)
  if (isRefusal(inLfs)) return inLfs
  return {
    inLfs: inLfs.map(({ path: file }) => file),
    contract: { ...contract, path, content: content(path) },
    packages,
    snapshots: new Map(snapshots.map((hash) => [hash, content(snapshotPath(hash))])),
    directory,
    application,
    prisma,
  }
}

/** Words that emit a package anew, from its source. */
export const emitAgain = (files: Pick<RunnerFiles, 'directory'>, name: string): string =>
  code(`node ${inShell(`${files.directory}/app/${name}/migration.ts`)}`)

type Reading = {
  readonly tree: Tree
  readonly directory: string
  readonly names: readonly string[]
  readonly content: (path: string) => Buffer
}

function readPackages({ tree, directory, names, content }: Reading): readonly Package[] | Refusal {
  const packages: Package[] = []
  for (const name of names) {
    const [metadata = '', operations = ''] = filesOf(directory, name)
    const missing = [metadata, operations].find((path) => !tree.has(path))
    if (missing !== undefined)
      return unfit(
        `The migration ${quoted(name)} has no ${posix.basename(missing)}. Write it anew (${emitAgain({ directory }, name)}), commit it and ask again.`,
      )
    const read = readPackage(name, { metadata: content(metadata), operations: content(operations) })
    if (isUnreadable(read))
      return unfit(
        `${read.file} of the migration ${quoted(name)} cannot be read: ${said(read.why)}. Write it anew (${emitAgain({ directory }, name)}), commit it and ask again.`,
      )
    if (read.hash.written !== read.hash.computed)
      return unfit(
        `The migration ${quoted(name)} is not what Prisma wrote: by migration.json its hash is ${short(read.hash.written)}, by what migration.json and ops.json hold it is ${short(read.hash.computed)}. One of them was changed after it was written. Put the change into migration.ts, write both anew (${emitAgain({ directory }, name)}), commit them and ask again.`,
      )
    packages.push(read)
  }
  return packages
}

const filesOf = (directory: string, name: string) => ['migration.json', 'ops.json'].map((file) => `${directory}/app/${name}/${file}`)

/** Every directory with one of the files of a package: `refs`, and what people put beside them, has none. */
const packagesIn = (tree: Tree, directory: string): readonly string[] =>
  distinct(below(tree, directory).flatMap(([name = '', file = '']) => (OF_A_PACKAGE.has(file) ? [name] : [])))

const OF_A_PACKAGE: ReadonlySet<string> = new Set(['migration.json', 'ops.json', 'migration.ts'])

/** Those of extensions, which have packages or a head of their own beside the application's. */
const spacesIn = (tree: Tree, directory: string): readonly string[] =>
  distinct(
    below(tree, directory).flatMap(([space = '', name, file]) =>
      space !== 'app' && (file === 'migration.json' || (name === 'refs' && file === 'head.json')) ? [space] : [],
    ),
  )

/** The rest of each path inside, in its parts. */
const below = (tree: Tree, directory: string): readonly (readonly string[])[] =>
  [...tree.keys()].flatMap((path) => (path.startsWith(`${directory}/`) ? [path.slice(directory.length + 1).split('/')] : []))

const distinct = (names: readonly string[]): readonly string[] => [...new Set(names)].toSorted()

function placesIn(
  tree: Tree,
  application: string,
  { tool }: Pick<Target, 'tool'>,
): { readonly directory: string; readonly contract: string } | Refusal {
  const own = [...tree].flatMap(([path, entry]) => (isInside(path, application) && isRegular(entry) ? [path] : []))
  const configured = posix.join(application, prismaOf(tool).migrations)
  const found = [...new Set(own.flatMap((path) => /^(?:(.*)\/)?app\/[^/]+\/migration\.json$/.exec(path)?.[1] ?? []))]
  if (found.length > 1 && !found.includes(configured))
    return unfit(
      `There are migrations of Prisma 8 in ${listed(found)}. Say which are the target's: \`tool.prisma.migrations\` in lockkeeper.yaml.`,
    )
  const directory = found.includes(configured) ? configured : (found[0] ?? posix.join(application, 'migrations'))
  const contracts = own.filter((path) => posix.basename(path) === 'contract.json' && !isInside(path, directory))
  const emitted = posix.join(application, prismaOf(tool).schema).replace(/(\.\w+)?$/, '.json')
  const contract = own.includes(emitted) ? emitted : contracts[0]
  if (contract === undefined)
    return unfit(
      `There is no emitted contract (contract.json). Without it nobody knows where Prisma 8 would lead the database. Emit it (${code('npx prisma contract emit')}), commit it and ask again; if it has another name, write that into \`tool.prisma.schema\` in lockkeeper.yaml.`,
    )
  if (contract !== emitted && contracts.length > 1)
    return unfit(`There are several contracts: ${listed(contracts)}. Say which is the target's: \`tool.prisma.schema\` in lockkeeper.yaml.`)
  return { directory, contract }
}

const isInside = (path: string, directory: string) => directory === '.' || path.startsWith(`${directory}/`)

const unfit = (text: string): Refusal => refuse('repository_unfit', text)

const said = (why: string): string => escapeMarkup(plainText(why))

/** Enough of a hash to tell it from others. */
export const short = (hash: string): string => quoted(hash.slice(0, 12))
