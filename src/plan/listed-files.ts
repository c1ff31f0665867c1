import { posix } from 'node:path'
import { z } from 'zod'
import type { Target } from '../config/config.ts'
import { isPrisma, migrationsDirectory, type ToolSettings } from '../config/tool.ts'
import { isLfsPointer } from '../lib/git.ts'
import { isRefusal, refuse, type Refusal } from '../lib/refusal.ts'
import { listed, quoted } from '../lib/text/quoted.ts'
import { migrationFile, readFiles, type ApplicationFiles } from './files.ts'
import { filesInLfs, isRegular, isRegularAt, readBlobs, readTree, type Tree } from './git.ts'
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
  const journal = posix.join(directory, 'meta/_journal.json')
  const hasJournal = isDrizzle(target.tool) && isRegularAt(tree, journal)
  const wanted = [
    ...found.flatMap(({ path, rollback }) => (rollback === null ? [path] : [path, rollback])),
    ...(hasJournal ? [journal] : []),
  ]
  const content = await readBlobs(repository.git, tree, wanted)
  if (isRefusal(content)) return content
  const pointer = wanted.find((path) => isLfsPointer(content(path)))
  if (pointer !== undefined)
    return refuse(
      'repository_unfit',
      `${quoted(pointer)} is a pointer of Git LFS in place of the file, and what is planned is read from git alone. Take it out of LFS, commit and ask again.`,
    )
  const unlisted = isDrizzle(target.tool) ? whyUnlisted(found, journal, hasJournal ? content(journal).toString('utf8') : null) : null
  if (unlisted !== null) return refuse('repository_unfit', unlisted)
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

const isDrizzle = (tool: ToolSettings): boolean => 'command' in tool && tool.command.run.some((word) => /(^|\/)drizzle-kit$/.test(word))

const journalShape = z.object({ entries: z.array(z.object({ idx: z.number(), tag: z.string() })) })

/** Drizzle Kit applies what its journal lists and nothing else, in that order, and says nothing of the rest. */
function whyUnlisted(found: readonly Found[], path: string, text: string | null): string | null {
  if (text === null) return `There is no ${quoted(path)}, without which Drizzle Kit applies nothing. Commit it and ask again.`
  const read = journalShape.safeParse(parseJson(text))
  if (!read.success)
    return `${quoted(path)} is no journal of Drizzle Kit, so nobody can say what it would apply. Restore it, commit it and ask again.`
  const tags = read.data.entries.toSorted((a, b) => a.idx - b.idx).map(({ tag }) => tag)
  const names = found.map(({ name }) => name).toSorted(comparing('by-number'))
  const missing = names.filter((name) => !tags.includes(name))
  if (missing.length > 0)
    return `${listed(missing)} ${missing.length === 1 ? 'does' : 'do'} not stand in ${quoted(path)}, so Drizzle Kit would leave ${missing.length === 1 ? 'it' : 'them'} out. Commit the journal that was generated with ${missing.length === 1 ? 'it' : 'them'} and ask again.`
  const without = tags.filter((tag) => !names.includes(tag))
  if (without.length > 0)
    return `${quoted(path)} lists ${listed(without)}, of which this commit has no file. Commit ${without.length === 1 ? 'it' : 'them'} and ask again.`
  return tags.join('\n') === names.join('\n')
    ? null
    : `${quoted(path)} has another order than the numbers of its files, so people would read it otherwise than it runs. Let them agree, commit and ask again.`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''))
  } catch {
    return null // the caller says that it is no journal
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
  const other = inside.find((path) => !endings.includes(posix.extname(path)) && endings.includes(posix.extname(path).toLowerCase()))
  if (other !== undefined)
    return no(
      `${quoted(other)} ends in capitals, so nothing would run it. Rename it to end in ${quoted(posix.extname(other).toLowerCase())}, commit and ask again.`,
    )
  const files = inside.filter((path) => endings.some((ending) => path.endsWith(ending)) && !isBack(path) && !path.endsWith('.d.ts'))
  const below = [...tree.keys()].filter((path) => path.startsWith(prefix) && endings.some((ending) => path.endsWith(ending)))
  const where = below.length === 0 ? '' : ` itself, and those of its folders (${listed(below, 2)}) are not read`
  if (files.length === 0)
    return no(
      `Commit ${quoted(commit.slice(0, 10))} has no migrations (${endings.map((ending) => quoted(`*${ending}`)).join(', ')}) in ${quoted(directory)}${where}. Correct \`source.directory\` or the directory of \`tool\` of ${quoted(target)} in lockkeeper.yaml.`,
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
