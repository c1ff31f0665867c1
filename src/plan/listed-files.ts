import { posix } from 'node:path'
import type { Target } from '../config/config.ts'
import { isPrisma, migrationsDirectory, type ToolSettings } from '../config/tool.ts'
import { isLfsPointer } from '../lib/git.ts'
import { isRefusal, refuse, type Refusal } from '../lib/refusal.ts'
import { listed, quoted } from '../lib/text/quoted.ts'
import { migrationFile, readFiles, type ApplicationFiles } from './files.ts'
import { filesInLfs, isRegular, readBlobs, readTree, type Tree } from './git.ts'
import { comparing } from './prisma/order.ts'
import type { Repository } from './repository.ts'

type Other = Pick<Target, 'name' | 'source' | 'tool'>

/** Of whatever tool the target has. */
export const readAnyFiles = (repository: Repository, target: Other, commit: string): Promise<ApplicationFiles | Refusal> =>
  isPrisma(target.tool) ? readFiles(repository, target, commit) : readListedFiles(repository, target, commit)

/** The migrations of a tool other than Prisma: files of one directory, each with a number in front, read from the objects of a commit. */
async function readListedFiles(repository: Repository, target: Other, commit: string): Promise<ApplicationFiles | Refusal> {
  const application = posix.normalize(target.source.directory)
  const directory = posix.join(application, migrationsDirectory(target.tool))
  if ([application, directory].some((path) => path === '..' || path.startsWith('../') || posix.isAbsolute(path)))
    return refuse(
      'repository_unfit',
      `The path ${quoted(directory)} of ${quoted(target.name)} leads out of its repository. Correct \`source.directory\` or \`tool\` in lockkeeper.yaml.`,
    )
  const tree = await readTree(repository.git, commit)
  const found = findFiles(tree, directory, target, commit)
  if (isRefusal(found)) return found
  const wanted = found.flatMap(({ path, rollback }) => (rollback === null ? [path] : [path, rollback]))
  const content = await readBlobs(repository.git, tree, wanted)
  if (isRefusal(content)) return content
  const pointer = wanted.find((path) => isLfsPointer(content(path)))
  if (pointer !== undefined)
    return refuse(
      'repository_unfit',
      `${quoted(pointer)} is a pointer of Git LFS in place of the file, and what is planned is read from git alone. Take it out of LFS, commit and ask again.`,
    )
  const inLfs = await filesInLfs(repository.git, tree, commit, application)
  if (isRefusal(inLfs)) return inLfs
  const inOrder = comparing('by-number')
  return {
    migrations: found
      .map(({ name, path, rollback }) => ({
        ...migrationFile(name, content(path), rollback === null ? null : content(rollback)),
        ...(path.endsWith('.sql') ? {} : { program: posix.extname(path) }),
      }))
      .toSorted((a, b) => inOrder(a.name, b.name)),
    order: 'by-number',
    oneScript: 'sql' in target.tool,
    schema: '',
    inLfs: inLfs.map(({ path }) => path),
    databaseSchemas: [],
    externalTables: [],
  }
}

/** Below the migrations directory: with which endings a migration of this name may be written. */
export const pathsOfMigration = (tool: ToolSettings, name: string): readonly string[] =>
  'prisma' in tool ? [`${name}/migration.sql`] : endingsOf(tool).map((ending) => `${name}${ending}`)

const endingsOf = (tool: ToolSettings): readonly string[] => ('command' in tool ? tool.command.files : ['.sql'])

type Found = { readonly name: string; readonly path: string; readonly rollback: string | null }

function findFiles(tree: Tree, directory: string, { name: target, tool }: Other, commit: string): readonly Found[] | Refusal {
  const no = (text: string) => refuse('repository_unfit', text)
  const prefix = directory === '.' ? '' : `${directory}/`
  const inside = [...tree.keys()].filter((path) => path.startsWith(prefix) && !path.slice(prefix.length).includes('/'))
  const endings = endingsOf(tool)
  const isBack = (path: string) => 'sql' in tool && BACK.some((ending) => path.endsWith(ending))
  const files = inside.filter((path) => endings.some((ending) => path.endsWith(ending)) && !isBack(path) && !path.endsWith('.d.ts'))
  if (files.length === 0)
    return no(
      `Commit ${quoted(commit.slice(0, 10))} has no migrations (${endings.map((ending) => quoted(`*${ending}`)).join(', ')}) in ${quoted(directory)}. Correct \`source.directory\` or the directory of \`tool\` of ${quoted(target)} in lockkeeper.yaml.`,
    )
  const linked = inside.find((path) => !isRegular(tree.get(path) ?? { mode: '', type: '', object: '' }))
  if (linked !== undefined)
    return no(
      `${quoted(linked)} is a symbolic link or a submodule. Migrations must be regular files of the repository itself. Put the file there and ask again.`,
    )
  const all = files.map((path) => ({ path, name: stemOf(posix.basename(path), endings) }))
  const odd = all.find(({ name }) => name.length > 255 || /[\p{Cc}\p{Cf}\\\ufffd]/u.test(name))
  if (odd !== undefined)
    return no(`The name of the migration ${quoted(odd.name)} holds characters that cannot be shown or recorded. Rename it.`)
  const unnumbered = all.filter(({ name }) => !/^\d/.test(name)).map(({ path }) => path)
  if (unnumbered.length > 0)
    return no(
      `${listed(unnumbered)} ${unnumbered.length === 1 ? 'has' : 'have'} no number in front, so it is not certain when ${unnumbered.length === 1 ? 'it runs' : 'they run'}. Give ${unnumbered.length === 1 ? 'it' : 'each'} one (${quoted('001_create_orders.sql')}), commit and ask again.`,
    )
  const twice = all.find(({ name }, at) => all.some((other, from) => from < at && other.name === name))
  if (twice !== undefined) {
    const both = all.filter(({ name }) => name === twice.name).map(({ path }) => path)
    return no(`${listed(both)} are one migration by their name. Rename the one that is not applied anywhere yet, commit and ask again.`)
  }
  return all.map(({ name, path }) => ({
    name,
    path,
    rollback: 'sql' in tool ? (BACK.map((ending) => `${prefix}${name}${ending}`).find((back) => tree.has(back)) ?? null) : null,
  }))
}

/** What of a file runs on the way forward: node-pg-migrate, dbmate and goose keep the way back in the same one. */
export function forwardPart(content: Buffer): Buffer {
  const text = content.toString('latin1') // one character a byte
  const back = /^[ \t]*--[\s-]*(down\s+migration|migrate:down|\+goose\s+down)/im.exec(text)
  return back === null ? content : Buffer.from(text.slice(0, back.index), 'latin1')
}

/** The way back of a file of SQL, which is kept beside it and never run by itself. */
const BACK = ['.down.sql', '.rollback.sql']

const stemOf = (file: string, endings: readonly string[]): string => {
  const ending = endings.filter((one) => file.endsWith(one)).toSorted((a, b) => b.length - a.length)[0] ?? ''
  return file.slice(0, file.length - ending.length)
}
