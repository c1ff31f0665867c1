import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { writeWholeSync } from '../../../src/lib/durable-file.ts'
import { captureChild } from '../../../src/process/capture.ts'
import { childEnvironment } from '../../../src/process/environment.ts'
import { createRedactor } from '../../../src/redact/redact.ts'
import { applicationPath, installCommand, toolEnvironment } from '../../../playground/shop/application.ts'

const root = join(import.meta.dirname, '../../..')

/** The versions of Prisma that the product is proven with; the oldest in use, the one of the sample, the newest of the old runner. */
export const PRISMA_VERSIONS = ['5.22.0', '6.19.3', '7.10.1'] as const
export type PrismaVersion = (typeof PRISMA_VERSIONS)[number]

export type InstalledPrisma = {
  /** A `node_modules` with the real CLI; only read. */
  readonly modules: string
  /** What its CLI needs in the environment, so that nothing is downloaded. */
  readonly env: Readonly<Record<string, string>>
}

/** The real CLI of a version: of this repository's packages, or installed beside them once, for the first test that asks for it. */
export async function installedPrisma(version: PrismaVersion): Promise<InstalledPrisma> {
  if (version === '6.19.3') return { modules: join(root, 'node_modules'), env: toolEnvironment }
  const place = await installedFrom(join(import.meta.dirname, version.slice(0, 1)))
  const modules = join(place, 'node_modules')
  const wasm = version === '5.22.0' ? '@prisma/schema-engine-wasm/schema_engine_bg.wasm' : 'prisma/build/schema_engine_bg.wasm'
  const engine = join(place, 'schema-engine.cjs')
  writeWholeSync(engine, programOf({ modules, wasm: join(modules, wasm) }))
  await chmod(engine, 0o755)
  return { modules, env: { ...toolEnvironment, PRISMA_SCHEMA_ENGINE_BINARY: engine } }
}

/** `npm ci` of its folder; whoever comes while another installs waits for it. */
export async function installedFrom(source: string): Promise<string> {
  const folder = basename(source)
  const lock = await readFile(join(source, 'package-lock.json'))
  const place = join(root, '.build/prisma-versions', `${folder}-${createHash('sha256').update(lock).digest('hex').slice(0, 16)}`)
  if (existsSync(join(place, 'installed'))) return place
  await mkdir(place, { recursive: true })
  for (const name of ['package.json', 'package-lock.json']) await cp(join(source, name), join(place, name))
  const script = 'test -e installed || { "$@" && touch installed; }'
  const end = await captureChild({
    argv: ['flock', join(place, 'lock'), 'sh', '-c', script, 'sh', ...installCommand, '--no-audit', '--no-fund'],
    cwd: place,
    env: childEnvironment(process.env, applicationPath, {}),
    redactor: createRedactor([]),
  })
  if (end.exitCode !== 0) throw new Error(`The packages of ${folder} cannot be installed:\n${end.stdout.toString('utf8')}${end.stderr}`)
  return place
}

const programOf = (placed: object): string =>
  `#!/usr/bin/env node
globalThis.schemaEngine = ${JSON.stringify(placed)}
import(${JSON.stringify(join(import.meta.dirname, 'engine/main.ts'))})
`
