import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'

/**
 * A shadow of the checkout in which the migrations directory holds just what it is given. Directories on the way to the application,
 * its schema and its migrations are real; the files in the application's directory and the schema are copies, so that
 * `prisma.config.ts` and `package.json` find everything relative to themselves; all else is a link into the checkout. `.env` files stay
 * out: Prisma would read them. Returns the application's directory in the shadow.
 */
export function buildLayout(layout: {
  readonly checkout: string
  readonly applicationDirectory: string
  /** Relative to the application's directory. */
  readonly schema: string | null
  readonly migrations: string
  readonly into: string
  /** By path below the migrations directory: `20261118_add_discounts/migration.sql`. */
  readonly files: ReadonlyMap<string, Buffer>
  /** In place of the schema that the checkout has. */
  readonly approvedSchema?: Buffer
}): string {
  const application = inside(layout.checkout, layout.applicationDirectory)
  const schema = inside(layout.checkout, join(layout.applicationDirectory, layout.schema ?? '.'))
  const migrations = inside(layout.checkout, join(layout.applicationDirectory, layout.migrations))
  const schemaIsFile = layout.schema === null || layout.approvedSchema !== undefined || statSync(join(layout.checkout, schema)).isFile()
  const real = new Set(
    [application, migrations, layout.schema === null ? application : schemaIsFile ? dirname(schema) : schema].flatMap(ancestors),
  )
  rmSync(layout.into, { recursive: true, force: true })
  mirror('')
  for (const [path, bytes] of layout.files) {
    const place = join(layout.into, migrations, path)
    mkdirSync(dirname(place), { recursive: true, mode: 0o700 })
    writeFileSync(place, bytes, { mode: 0o600 })
  }
  if (layout.approvedSchema !== undefined) {
    const place = join(layout.into, schema)
    rmSync(place, { force: true })
    writeFileSync(place, layout.approvedSchema, { mode: 0o600 })
  }
  return join(layout.into, application)

  function mirror(directory: string): void {
    const from = join(layout.checkout, directory)
    const to = join(layout.into, directory)
    mkdirSync(to, { recursive: true, mode: 0o700 })
    if (directory === migrations || !existsSync(from)) return
    for (const name of readdirSync(from)) {
      const path = join(directory, name)
      if (name === '.git' || name === '.env' || name.startsWith('.env.')) continue
      if (real.has(path)) mirror(path)
      else if (isCopied(path, directory)) cpSync(join(from, name), join(to, name), { recursive: true, dereference: true })
      else symlinkSync(join(from, name), join(to, name))
    }
  }

  function isCopied(path: string, directory: string): boolean {
    const source = join(layout.checkout, path)
    if (!existsSync(source)) return false // a link to nowhere stays one
    if (!schemaIsFile && (directory === schema || directory.startsWith(schema + sep))) return true
    return statSync(source).isFile() && (path === schema || directory === application)
  }
}

function inside(checkout: string, path: string): string {
  const found = relative(checkout, path)
  if (found === '..' || found.startsWith(`..${sep}`)) throw new Error(`${path} is outside the checkout`)
  return found === '.' ? '' : found
}

const ancestors = (path: string): readonly string[] => {
  const all: string[] = []
  for (let at = path; at !== '' && at !== '.'; at = dirname(at)) all.push(at)
  return ['', ...all]
}
