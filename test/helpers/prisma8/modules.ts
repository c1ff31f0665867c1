import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { sha256 } from '../../../src/plan/files.ts'

const root = join(import.meta.dirname, '../../..')

/** The version whose behaviour is recorded. */
export const VERSION = '8.0.0-rc.19'

/** A directory with the real one installed; where it is set, tests of Prisma 8 start that in place of the recorded one. */
export const realDirectory = (): string | null => process.env['LOCKKEEPER_TEST_PRISMA8'] ?? null

/** A `node_modules` with Prisma 8, to be linked and not written into. Installed it is 1.1 GB, so mostly it is the recorded one. */
export function modulesWithPrisma8(which: 'recorded' | 'real' = realDirectory() === null ? 'recorded' : 'real'): string {
  const real = realDirectory()
  if (which === 'real' && real !== null) return join(real, 'node_modules')
  const files: Readonly<Record<string, string>> = {
    'prisma/package.json': JSON.stringify({
      name: 'prisma',
      version: VERSION,
      type: 'module',
      bin: { prisma: './dist/prisma.js' },
      exports: { './package.json': './package.json', './config': './dist/config.js' },
    }),
    'prisma/dist/prisma.js': `#!/usr/bin/env node\nawait import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'recorded/main.ts')).href)})\n`,
    'prisma/dist/config.js': 'export const definePrismaConfig = (config) => ({ ...config, definedForPrisma8: true })\n',
    '@prisma/orm-postgres/package.json': JSON.stringify({
      name: '@prisma/orm-postgres',
      version: '8.0.0-rc.13',
      type: 'module',
      exports: { './config': './config.js' },
    }),
    '@prisma/orm-postgres/config.js': 'export const defineConfig = (config) => config\n',
  }
  const place = join(root, '.build/recorded-prisma8', sha256(JSON.stringify(files)).slice(0, 16))
  makeOnce(place, (partial) => {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(join(partial, 'node_modules', path, '..'), { recursive: true })
      writeFileSync(join(partial, 'node_modules', path), content, { mode: 0o755 })
    }
    mkdirSync(join(partial, 'node_modules/.bin'))
    symlinkSync('../prisma/dist/prisma.js', join(partial, 'node_modules/.bin/prisma'))
  })
  return join(place, 'node_modules')
}

/** Whoever comes second at the same time throws its own away. */
function makeOnce(place: string, make: (partial: string) => void): void {
  if (existsSync(place)) return
  const partial = `${place}.${randomBytes(4).toString('hex')}`
  make(partial)
  try {
    renameSync(partial, place)
  } catch (error) {
    rmSync(partial, { recursive: true, force: true })
    if (!existsSync(place)) throw error
  }
}
