import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { installedVersion } from '../../../src/migrate/prisma/installed.ts'

let modules: string
beforeEach(() => void (modules = mkdtempSync(join(tmpdir(), 'lockkeeper-modules-'))))
afterEach(() => rmSync(modules, { recursive: true }))

const file = (path: string, text: string) => {
  mkdirSync(dirname(join(modules, path)), { recursive: true })
  writeFileSync(join(modules, path), text)
}
const link = (path: string, to: string) => {
  mkdirSync(dirname(join(modules, path)), { recursive: true })
  symlinkSync(to, join(modules, path))
}
const described = { name: 'prisma', version: '7.4.1', bin: { prisma: 'build/index.js' } }
const install = (at: string, says: object = described) => {
  file(`${at}/package.json`, JSON.stringify(says))
  file(`${at}/build/index.js`, '#!/usr/bin/env node\n')
}
const found = () => installedVersion(join(modules, '.bin/prisma'))
const known = { version: '7.4.1', major: 7, atomic: false }

test('a link into a package has the version of that package', () => {
  install('prisma')
  link('.bin/prisma', '../prisma/build/index.js')
  expect(found()).toEqual(known)
})

test('the shell script of a package manager has the version of the package that it names', () => {
  install('.pnpm/prisma@7.4.1/node_modules/prisma')
  link('prisma', '.pnpm/prisma@7.4.1/node_modules/prisma')
  file(
    '.bin/prisma',
    `#!/bin/sh\nbasedir=$(dirname "$0")\nif [ -x "$basedir/node" ]; then\n  exec "$basedir/node"  "$basedir/../prisma/build/index.js" "$@"\nelse\n  exec node  "$basedir/../prisma/build/index.js" "$@"\nfi\n`,
  )
  chmodSync(join(modules, '.bin/prisma'), 0o755)
  expect(found()).toEqual(known)
})

test('what starts something else than the program of a package named prisma has to be asked', () => {
  install('prisma')
  file('.bin/prisma', '#!/bin/sh\nexec node /opt/prisma/index.js "$@"\n')
  expect(found()).toBeNull()
  file('.bin/prisma', '#!/bin/sh\nexec node "$basedir/../prisma/build/index.js" || exec node "$basedir/../other/index.js"\n')
  expect(found()).toBeNull()
  rmSync(join(modules, '.bin/prisma'))
  install('fork', { ...described, name: 'fork' })
  link('.bin/prisma', '../fork/build/index.js')
  expect(found()).toBeNull()
  rmSync(join(modules, '.bin/prisma'))
  file('prisma/build/other.js', '')
  link('.bin/prisma', '../prisma/build/other.js')
  expect(found()).toBeNull()
})

test('what cannot be read has to be asked', () => {
  expect(found()).toBeNull()
  install('prisma', { ...described, version: 'latest' })
  link('.bin/prisma', '../prisma/build/index.js')
  expect(found()).toBeNull()
  file('prisma/package.json', '{')
  expect(found()).toBeNull()
})
