import { readFileSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { adapterOf, type AdapterPackage } from './adapter.ts'
import { withDirectoryRead } from './migrations.ts'
import { urlIn } from './schema.ts'

type Params = Readonly<Record<string, unknown>>
export type Method = (params: Params) => Promise<unknown>
type Engine = Readonly<Record<string, Method | undefined>>
type Glue = {
  readonly __wbg_set_wasm: (exports: unknown) => void
  readonly SchemaEngine: { readonly new: (options: object, log: () => void, adapter: object) => Promise<object> }
}

/** Packages of the version that this stands in for, and where the engine's WebAssembly is; set by the file that starts this program. */
type Placed = { readonly modules: string; readonly wasm: string }
const placed = () => (globalThis as unknown as { schemaEngine: Placed }).schemaEngine

/** What the native one is started with: the files of the schema, and from Prisma 7 on the URL, which older schemas name themselves. */
export async function openEngine(words: readonly string[], params: Params): Promise<Engine> {
  const after = (...flags: readonly string[]) => words.flatMap((word, at) => (flags.includes(word) ? [words[at + 1] ?? ''] : []))
  const named = after('-d', '--datamodels').map((path) => [path, readFileSync(path, 'utf8')] as const)
  const datamodels = named.length > 0 ? named : filesOf(params['from'])
  const given = after('--datasource')[0]
  const url = given === undefined ? urlIn(datamodels.map(([, text]) => text).join('\n')) : (JSON.parse(given) as { url: string }).url
  const require = createRequire(join(placed().modules, 'engine.js'))
  const load = (name: string): Promise<unknown> => import(pathToFileURL(require.resolve(name)).href)
  const glue = (await load('@prisma/schema-engine-wasm/schema_engine_bg')) as Glue // the packages of each version are its own
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(placed().wasm)), {
    './schema_engine_bg.js': { ...glue } as unknown as WebAssembly.ModuleImports,
  })
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message: panic } })
  glue.__wbg_set_wasm(exports)
  ;(exports as { __wbindgen_start: () => void }).__wbindgen_start()
  const adapter = adapterOf((await load('@prisma/adapter-pg')) as AdapterPackage, url)
  const { bindMigrationAwareSqlAdapterFactory: bind } = (await load('@prisma/driver-adapter-utils')) as {
    bindMigrationAwareSqlAdapterFactory: (factory: object) => object
  }
  return (await glue.SchemaEngine.new({ datamodels }, () => {}, bind(adapter))) as Engine
}

/** As the native one ends when it panics. */
function panic(message: string): never {
  writeSync(2, `${JSON.stringify({ level: 'ERROR', target: 'schema_engine::logger', fields: { message, is_panic: true } })}\n`)
  process.exit(101)
}

/** A comparison brings its schemas along. */
const filesOf = (side: unknown) =>
  ((side as { readonly files?: readonly { readonly path: string; readonly content: string }[] } | undefined)?.files ?? []).map(
    ({ path, content }) => [path, content] as const,
  )

/** What the CLI asks for, with what it leaves to a native engine and the WebAssembly one is handed. */
export function methodOf(engine: Engine, name: string): Method {
  if (name === 'listMigrationDirectories')
    return async (params) => ({ migrations: withDirectoryRead(params).migrationsList?.migrationDirectories.map(({ path }) => path) ?? [] })
  const method = engine[name === 'getDatabaseVersion' ? 'version' : name]
  if (method === undefined) throw new Error(`the engine has no ${name}`)
  return async (params) => (await method.call(engine, withDirectoryRead(params))) ?? {}
}
