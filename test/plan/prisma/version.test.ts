import { describe, expect, test } from 'vitest'
import { bringsEngines } from '../../../src/plan/prisma/lock-files.ts'
import { orderOf, sendsOneScript } from '../../../src/plan/prisma/order.ts'
import { prismaVersions, runnerOf, whyVersionUnfit, type PrismaSources } from '../../../src/plan/prisma/version.ts'

/** An application in the root of its repository, or where it is said. */
const brought = (range: string, locks: Readonly<Record<string, string>> = {}, application = '.'): PrismaSources => ({
  application,
  asked: [{ path: application === '.' ? 'package.json' : `${application}/package.json`, range }],
  locks: Object.entries(locks).map(([path, text]) => ({ path, text })),
  aliases: [],
})

describe('which Prisma it is', () => {
  test.each([
    ['6.19.3', 'by-language'],
    ['^6.6.0', 'by-language'],
    ['~6.6', 'by-language'],
    ['>=6.7.0', 'by-language'],
    ['7', 'by-language'],
    ['7.x', 'by-language'],
    ['6.19.x', 'by-language'],
    ['^7.0.0-dev.3', 'by-language'],
    ['6.5.0', 'by-bytes'],
    ['~6.5.0', 'by-bytes'],
    ['^5.22.0', 'by-bytes'],
    ['4', 'by-bytes'],
    ['^6.0.0', 'unknown'],
    ['6', 'unknown'],
    ['>=5', 'unknown'],
    ['latest', 'unknown'],
    ['*', 'unknown'],
    ['catalog:', 'unknown'],
    ['^5 || ^6', 'unknown'],
    ['6.6.0 || ^7.1.0', 'by-language'],
    ['=5.22.0', 'by-bytes'],
    ['npm:other@1.0.0', 'unknown'],
  ])('package.json asks for %s', (range, order) => {
    expect(orderOf(prismaVersions(brought(range)))).toBe(order)
  })

  test.each([
    ['package-lock.json', '{"packages":{"node_modules/prisma":{\n  "version": "6.19.3"}}}'],
    ['package-lock.json', '{"lockfileVersion":1,"dependencies":{"prisma":{"version":"6.19.3"}}}'],
    ['package-lock.json', '{"packages":{"apps/api/node_modules/prisma":{\n  "version": "6.19.3"}}}'],
    ['npm-shrinkwrap.json', '{"packages":{"node_modules/prisma":{"version":"6.19.3"}}}'],
    ['pnpm-lock.yaml', 'packages:\n\n  prisma@6.19.3(typescript@5.9.2):\n    resolution: {}\n'],
    ['pnpm-lock.yaml', 'packages:\n\n  /prisma@6.19.3:\n    resolution: {}\n'],
    ['pnpm-lock.yaml', 'packages:\n\n  /prisma/6.19.3_abc:\n    resolution: {}\n'],
    ['yarn.lock', 'prisma@^6.0.0:\n  version "6.19.3"\n'],
    ['yarn.lock', '"prisma@npm:^6.0.0":\n  version: 6.19.3\n'],
    ['bun.lock', '{"packages":{"prisma": ["prisma@6.19.3", "", {}]}}'],
  ])('%s settles it: %j', (path, lock) => {
    const order = (text: string) => orderOf(prismaVersions(brought('^6.0.0', { [path]: text })))
    expect(order(lock)).toBe('by-language')
    expect(order(lock.replaceAll('6.19.3', '6.2.1'))).toBe('by-bytes')
    expect(order(lock.replaceAll('prisma', '@other/prisma'))).toBe('unknown')
    const two = brought('^6.0.0', { [path]: lock, [`apps/api/${path}`]: lock.replaceAll('6.19.3', '6.2.1') })
    expect(orderOf(prismaVersions(two))).toBe('unknown')
    expect(whyVersionUnfit(brought('^6.0.0', { [path]: lock }))).toBeNull()
    expect(whyVersionUnfit(brought('^6.0.0', { [path]: lock.replaceAll('6.19.3', '8.0.0-rc.19') }))).toContain(
      'settles it at `8.0.0-rc.19`',
    )
    expect(whyVersionUnfit(brought('*', { [path]: lock.replaceAll('^6.0.0', '*').replaceAll('6.19.3', '8.0.0-rc.19') }))).toContain(
      'This commit brings Prisma `8.0.0-rc.19`',
    )
  })

  test.each([
    ['package-lock.json', '{"packages":{"node_modules/prisma":{"version":"7.10.1"},"apps/api/node_modules/prisma":{"version":"6.19.3"}}}'],
    [
      'pnpm-lock.yaml',
      `importers:

  .:
    devDependencies:
      prisma:
        specifier: ^7.0.0
        version: 7.10.1(typescript@5.9.2)

  apps/api:
    dependencies:
      '@prisma/client':
        specifier: 6.19.3
        version: 6.19.3
    devDependencies:
      prisma:
        specifier: ^6.0.0
        version: 6.19.3(typescript@5.9.2)

packages:

  prisma@6.19.3:
    resolution: {}

  prisma@7.10.1:
    resolution: {}
`,
    ],
    ['yarn.lock', '"prisma@npm:^7.0.0":\n  version: 7.10.1\n\n"prisma@npm:^6.0.0, prisma@npm:^6.19.0":\n  version: 6.19.3\n'],
    ['bun.lock', '{"packages":{"prisma": ["prisma@7.10.1", "", {}],"api/prisma": ["prisma@6.19.3", "", {}]}}'],
  ])('in %s of a workspace with two versions, the one of the application counts', (path, lock) => {
    expect(prismaVersions(brought('^6.0.0', { [path]: lock }, 'apps/api'))).toEqual({ low: 6_019_003, high: 6_019_003 })
    expect(prismaVersions(brought('^7.0.0', { [path]: lock }))).toEqual({ low: 7_010_001, high: 7_010_001 })
  })
})

describe('a version that is not known is refused, with those that are', () => {
  const npm = (version: string) => ({ 'package-lock.json': `{"packages":{"node_modules/prisma":{"version":"${version}"}}}` })

  test.each(['6.19.3', '^5.22.0', '~7.10', '7', '^5 || ^6 || ^7', '6.x'])('%s is known, without a lock file too', (range) => {
    expect(whyVersionUnfit(brought(range))).toBeNull()
  })

  test.each([
    [
      '8.0.0-rc.19',
      {},
      '`package.json` asks for prisma `8.0.0-rc.19`. Of Prisma 8 Lockkeeper reads the emitted contract and the migrations, and this commit has neither. Emit the contract (`npx prisma contract emit`), commit it and ask again.',
    ],
    [
      '^4.16.0',
      {},
      '`package.json` asks for prisma `^4.16.0`. Lockkeeper knows Prisma 5, 6, 7 and the release candidate of 8, and starts no other. Ask for a commit with one of them (`--ref`), or update Lockkeeper.',
    ],
    [
      'latest',
      {},
      '`package.json` asks for prisma `latest`, and there is no lock file that says which version that is. Lockkeeper knows Prisma 5, 6, 7 and the release candidate of 8: pin one (`npm install --save-dev --save-exact prisma@7`), commit the lock file and ask again.',
    ],
    [
      '>=6.6.0',
      { 'yarn.lock': 'other@^1.0.0:\n  version "1.0.0"\n' },
      '`package.json` asks for prisma `&gt;=6.6.0`, and `yarn.lock` does not say which version that is. Lockkeeper knows Prisma 5, 6, 7 and the release candidate of 8: pin one (`npm install --save-dev --save-exact prisma@7`), commit the lock file and ask again.',
    ],
    [
      'latest',
      npm('8.0.0-rc.19'),
      'This commit brings Prisma `8.0.0-rc.19` (`package-lock.json`). Of Prisma 8 Lockkeeper reads the emitted contract and the migrations, and this commit has neither. Emit the contract (`npx prisma contract emit`), commit it and ask again.',
    ],
    [
      '^7.0.0',
      npm('6.19.3'),
      '`package.json` asks for prisma `^7.0.0`, but `package-lock.json` settles it at `6.19.3`, so the install stops or brings another version than this commit says. Run the install of your package manager (`npm install`), commit the lock file and ask again.',
    ],
    [
      '6.19.3',
      npm('6.19.2'),
      '`package.json` asks for prisma `6.19.3`, but `package-lock.json` settles it at `6.19.2`, so the install stops or brings another version than this commit says. Run the install of your package manager (`npm install`), commit the lock file and ask again.',
    ],
    [
      '^6.0.0',
      { ...npm('6.19.3'), 'yarn.lock': 'prisma@^6.0.0:\n  version "6.2.1"\n' },
      '`package-lock.json` settles prisma at `6.19.3` and `yarn.lock` at `6.2.1`, so which version would run depends on how it is installed. Remove the lock file that is not used, commit and ask again.',
    ],
  ])('%s with %j', (range, locks, why) => {
    expect(whyVersionUnfit(brought(range, locks))).toBe(why)
  })

  test('a lock file that has several, of which it is not clear which is meant, is fit when all are known', () => {
    const lock = { 'pnpm-lock.yaml': 'packages:\n\n  prisma@6.19.3:\n    resolution: {}\n\n  prisma@7.10.1:\n    resolution: {}\n' }
    expect(whyVersionUnfit(brought('catalog:', lock))).toBeNull()
  })
})

describe('from 8 on the name stands for two programs, and the lock file says which', () => {
  const OLD = '8.1.0-dev.5'
  const NEW = '8.0.0-rc.19'
  const locks = (version: string, needs: string): readonly (readonly [string, string])[] => [
    ['package-lock.json', JSON.stringify({ packages: { 'node_modules/prisma': { version, dependencies: { [needs]: '1.0.0' } } } })],
    ['package-lock.json', JSON.stringify({ lockfileVersion: 1, dependencies: { prisma: { version, requires: { [needs]: '1.0.0' } } } })],
    [
      'pnpm-lock.yaml',
      `importers:\n\n  .:\n    devDependencies:\n      prisma:\n        specifier: ${version}\n        version: ${version}(typescript@5.9.2)\n\npackages:\n\n  prisma@${version}:\n    resolution: {}\n\nsnapshots:\n\n  prisma@${version}(typescript@5.9.2):\n    dependencies:\n      '${needs}': 1.0.0\n    optionalDependencies:\n      typescript: 5.9.2\n`,
    ],
    ['pnpm-lock.yaml', `packages:\n\n  /prisma@${version}:\n    resolution: {}\n    dependencies:\n      '${needs}': 1.0.0\n`],
    [
      'yarn.lock',
      `prisma@${version}:\n  version "${version}"\n  resolved "x"\n  dependencies:\n    "${needs}" "1.0.0"\n\nother@1:\n  version "1.0.0"\n`,
    ],
    ['yarn.lock', `"prisma@npm:${version}":\n  version: ${version}\n  dependencies:\n    "${needs}": "npm:1.0.0"\n  bin:\n    prisma: x\n`],
    [
      'bun.lock',
      `{\n  "packages": {\n    "other": ["other@1.0.0", "", {}],\n\n    "prisma": ["prisma@${version}", "", { "dependencies": { "${needs}": "1.0.0" } }],\n  }\n}\n`,
    ],
  ]

  test.each(locks(OLD, '@prisma/engines'))('a build of the old command line, by %s: %j', (path, text) => {
    const sources = brought(OLD, { [path]: text })
    expect(runnerOf(sources)).toBe('old')
    expect(whyVersionUnfit(sources)).toBe(
      `This commit brings Prisma \`8.1.0-dev.5\` (\`${path}\`), which is not the runner of Prisma 8 but a build of the older command line (it depends on \`@prisma/engines\`). Lockkeeper knows Prisma 5, 6, 7 and the release candidate of 8, and starts no other. Ask for a commit with one of them (\`--ref\`), or update Lockkeeper.`,
    )
  })

  test.each([...locks(NEW, '@prisma/cli-engine'), ...locks(NEW, '@prisma/engines-version')])('the new runner, by %s: %j', (path, text) => {
    expect(runnerOf(brought(NEW, { [path]: text }))).toBe('new')
  })

  test('without a lock file a number of development tells nothing, and a release is the new runner', () => {
    expect(runnerOf(brought(NEW))).toBe('new')
    expect(runnerOf(brought('^8.0.0'))).toBe('new')
    expect(runnerOf(brought(OLD))).toBe('unclear')
    expect(whyVersionUnfit(brought(OLD))).toBe(
      '`package.json` asks for prisma `8.1.0-dev.5`, and there is no lock file that says whether that is the runner of Prisma 8 or a build of the older command line, which have like numbers. Lockkeeper knows Prisma 5, 6, 7 and the release candidate of 8: pin one (`npm install --save-dev --save-exact prisma@7`), commit the lock file and ask again.',
    )
  })

  test('5 to 7 are the old one, and what may be either is unclear', () => {
    expect(['^5.22.0', '6.19.3', '~7.10'].map((range) => runnerOf(brought(range)))).toEqual(['old', 'old', 'old'])
    expect(['latest', '>=7', '*'].map((range) => runnerOf(brought(range)))).toEqual(['unclear', 'unclear', 'unclear'])
  })

  test('another package of the same version does not speak for it', () => {
    const lock = `packages:\n\n  '@other/prisma@${NEW}':\n    dependencies:\n      '@prisma/engines': 1.0.0\n\n  prisma@${NEW}0:\n    dependencies:\n      '@prisma/engines': 1.0.0\n`
    expect(bringsEngines({ path: 'pnpm-lock.yaml', text: lock }, NEW)).toBe(false)
  })
})

test('a lock file of empty lines takes no longer than its length', () => {
  const started = performance.now()
  const lock = '\n \t'.repeat(250_000)
  for (const path of ['package-lock.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock'])
    expect(orderOf(prismaVersions(brought('^6.0.0', { [path]: lock })))).toBe('unknown')
  expect(performance.now() - started).toBeLessThan(5_000)
})

test.each([
  ['6.19.3', true],
  ['^6.19.3', true],
  ['7.3.1', true],
  ['~7.3', true],
  ['^7.0.0', false],
  ['7.4.0', false],
  ['latest', false],
])('prisma %s is certain to send a file as one script: %s', (range, is) => {
  expect(sendsOneScript(prismaVersions(brought(range)))).toBe(is)
})
