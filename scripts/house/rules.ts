import { dirname, relative } from 'node:path'
import type { Import } from './imports.ts'
import { rooms, type Room } from './plan.ts'

/** One folder, and every folder that it must not import from, with the sentence for whoever tries. */
export type FolderRule = {
  readonly folder: string
  readonly forbidden: readonly { readonly regex: string; readonly message: string }[]
}

/** One rule for each folder that has files; `files` are paths from the root of the repository. */
export function folderRules(files: readonly string[]): readonly FolderRule[] {
  const folders = [...new Set(files.map((file) => dirname(file)))].toSorted()
  return folders.flatMap((folder) => {
    const room = roomOf(folder)
    if (room === undefined) return []
    return { folder, forbidden: [...aboveRooms(folder, room), ...aboveInside(folder, room), ...outsiders(folder)] }
  })
}

/** The sentences about imports that the plan forbids, each with who imports what. */
export function forbiddenImports(files: readonly string[], imports: readonly Import[]): readonly string[] {
  const rules = new Map(folderRules(files).map(({ folder, forbidden }) => [folder, forbidden]))
  return imports.flatMap(({ from, to }) => {
    const way = relative(dirname(from), to)
    const specifier = way.startsWith('.') ? way : `./${way}`
    const broken = rules.get(dirname(from))?.find(({ regex }) => new RegExp(regex).test(specifier))
    return broken === undefined ? [] : [`${from} imports ${to}. ${broken.message}`]
  })
}

/** A sentence about a file that lies where the plan has no folder; null when it is in its place. */
export function whyMisplaced(file: string): string | null {
  const folder = dirname(file)
  const room = roomOf(folder)
  const where = rooms.map(({ folder: name, holds }) => `  ${name}: ${holds}`).join('\n')
  if (room === undefined) return `${file} lies outside of the plan. Put it where it belongs:\n${where}`
  if (folder === room.folder || room.inner === undefined || room.inner.includes(innerOf(folder, room))) return null
  return `${file}: ${room.folder} has the folders ${room.inner.filter((one) => one !== '.').join(', ')}. Put it into one of them, or name a new one in scripts/house/plan.ts.`
}

export const roomOf = (folder: string): Room | undefined =>
  rooms.find(({ folder: name }) => folder === name || folder.startsWith(`${name}/`))

/** `.` for the room itself, and the first folder below it otherwise. */
const innerOf = (folder: string, room: Room): string =>
  folder === room.folder ? '.' : (folder.slice(room.folder.length + 1).split('/')[0] ?? '.')

function aboveRooms(folder: string, room: Room) {
  return rooms.slice(rooms.indexOf(room) + 1).map(({ folder: above, holds }) => ({
    regex: `^${climb(folder, room, above)}/`,
    message: `${room.folder} (${room.holds}) stands below ${above} (${holds}) and must not know it. Move what both need down, or pass it in.`,
  }))
}

function aboveInside(folder: string, room: Room) {
  if (room.inner === undefined) return []
  const own = innerOf(folder, room)
  const up = '\\.\\./'.repeat(depthBelow(folder, room.folder))
  return room.inner.slice(room.inner.indexOf(own) + 1).map((above) => ({
    regex: above === '.' ? `^${up}[^./][^/]*$` : `^${up === '' ? '\\./' : up}${above}/`,
    message: `In ${room.folder} imports run one way: ${room.inner?.join(' < ') ?? ''}. ${own} stands below ${above}.`,
  }))
}

const outsiders = (folder: string) => [
  {
    regex: `^${'\\.\\./'.repeat(folder.split('/').length)}(playground|test|bench|scripts|examples)/`,
    message: 'The product knows nothing of its playground, tests, benches and scripts.',
  },
]

/** How a file in `folder` writes the way to another room. */
function climb(folder: string, room: Room, to: string): string {
  const inSource = room.folder.startsWith('src/') && to.startsWith('src/')
  const up = '\\.\\./'.repeat(depthBelow(folder, inSource ? 'src' : '.'))
  return `${up}${inSource ? to.slice('src/'.length) : to}`
}

const depthBelow = (folder: string, base: string): number => folder.split('/').length - (base === '.' ? 0 : base.split('/').length)
