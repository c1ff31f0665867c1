import { expect, test } from 'vitest'
import { runnerName, settledRunner } from '../../../src/plan/prisma8/version.ts'

const settled = (range: string, ...locks: readonly { readonly path: string; readonly text: string }[]) => {
  const found = settledRunner({ application: '.', asked: [{ path: 'package.json', range }], locks, aliases: [] })
  return typeof found === 'string' ? found : found.why
}
const npm = (version: string) => ({
  path: 'package-lock.json',
  text: JSON.stringify({ packages: { 'node_modules/prisma': { version } } }),
})
const yarn = (version: string) => ({ path: 'yarn.lock', text: `prisma@^8.0.0-rc.1:\n  version "${version}"\n` })

test('the version is the one of the lock file, or the exact one of package.json', () => {
  expect(settled('8.0.0-rc.19')).toBe('8.0.0-rc.19')
  expect(settled('^8.0.0-rc.1', npm('8.0.0-rc.19'))).toBe('8.0.0-rc.19')
  expect(settled('8.0.0', npm('8.0.0'))).toBe('8.0.0')
})

test('a range that no lock file settles is refused', () => {
  expect(settled('^8.0.0-rc.1')).toBe(
    '`package.json` asks for prisma `^8.0.0-rc.1`, and no lock file says which version that is. Pin it (`npm install --save-dev --save-exact prisma@8`), commit the lock file and ask again.',
  )
})

test('two lock files that differ are refused', () => {
  expect(settled('^8.0.0-rc.1', npm('8.0.0-rc.19'), yarn('8.0.0-rc.18'))).toBe(
    'The lock files settle prisma at `8.0.0-rc.19` and `8.0.0-rc.18`, so which version would run depends on how it is installed. Remove the lock file that is not used, commit and ask again.',
  )
})

test('development builds of 8.1, which are still the command line of 7, and what comes after 8 are refused', () => {
  for (const version of ['8.1.0-dev.12', '9.0.0', '8.0.0-integration.3'])
    expect(settled('^8.0.0-rc.1', npm(version))).toBe(
      `This commit brings Prisma \`${version}\`. Of Prisma 8 Lockkeeper runs release candidates and releases, and no other builds. Ask for a commit with one of them (\`--ref\`).`,
    )
})

test('a release candidate is called one', () => {
  expect(runnerName('8.0.0-rc.19')).toBe('Prisma 8.0.0-rc.19, a release candidate')
  expect(runnerName('8.0.0')).toBe('Prisma 8.0.0')
})
