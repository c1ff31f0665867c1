// Preloaded by bin/lockkeeper: gives Node the sources without their types, from `.build/` beside them, where they are kept by their
// content. Node takes types off by itself too, at each start anew, with a tool that takes 15 MB of memory as long as the bot runs and a
// second of each start (docs/performance.md). Plain JavaScript, since it comes before that.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'

const root = join(import.meta.dirname, '..')
const FOLDERS = ['approvals', 'commands', 'src']
/** The last line of each: a machine that loses its power may keep a file's name and lose what stood in it, and no start would get past that. */
const WHOLE = '\n// whole\n'

const directory = ownDirectory()
if (directory !== undefined) {
  // the first of the two processes that src/app/handover.ts makes of a start: what takes types off is gone with it
  if (isMainThread && process.env.LOCKKEEPER_HANDED_OVER === undefined && !isStartedByBot(process.argv[1])) keepAll(directory)
  registerHooks({
    load(url, context, next) {
      if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context)
      return { format: 'module', shortCircuit: true, source: withoutTypes(directory, fileURLToPath(url)) }
    },
  })
}

/**
 * Beside the sources, and only where it belongs to whoever owns them and nobody else can write it: whoever could put something there could
 * change the sources as well. The bot's user may be another one, which then only reads. Undefined where there is none: then Node does it.
 */
function ownDirectory() {
  const path = join(root, '.build', `without-types-${process.version}`)
  try {
    mkdirSync(path, { recursive: true, mode: 0o755 })
  } catch {} // read-only: made before, or not at all
  try {
    const [kept, sources] = [statSync(path), statSync(import.meta.dirname)]
    return kept.uid === sources.uid && (kept.mode & 0o022) === 0 ? path : undefined
  } catch {
    return undefined
  }
}

/** Of the bot's programs that are outside of src/app/, which find kept what they load. */
function isStartedByBot(program) {
  return program !== undefined && program.startsWith(join(root, 'src/')) && !program.startsWith(join(root, 'src/app/'))
}

function keepAll(into) {
  for (const folder of FOLDERS)
    for (const name of readdirSync(join(root, folder), { recursive: true }))
      if (name.endsWith('.ts')) withoutTypes(into, join(root, folder, name))
}

function withoutTypes(kept, path) {
  const source = readFileSync(path, 'utf8')
  const file = join(kept, `${createHash('sha256').update(source).digest('hex')}.js`)
  try {
    const text = readFileSync(file, 'utf8')
    if (text.endsWith(WHOLE)) return text
  } catch {} // not kept yet
  return keep(file, source)
}

/** Whole or not at all, since several may start at once. A directory that is full or read-only costs time and memory and nothing else. */
function keep(file, source) {
  process.removeAllListeners('warning') // that Node's function is experimental is no news for whoever operates the bot
  const text = stripTypeScriptTypes(source) + WHOLE
  try {
    writeFileSync(`${file}.${process.pid}`, text, { mode: 0o644 })
    renameSync(`${file}.${process.pid}`, file)
  } catch {}
  return text
}
