#!/usr/bin/env node
// Runs before `npm test` and `npm run playground`: everything that the two commands of the README need besides npm, or the one command
// to type. Plain JavaScript for any Node, since an old one is among the things that it has to explain.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const OLDEST_NODE = 20

function main() {
  const node = nodeProblem()
  if (node !== null) return stop(node)
  const missing = missingPackages()
  if (missing.length === 0) return
  if (canInstall()) install(missing)
  const left = missingPackages()
  if (left.length > 0) stop(`${left.map(({ why }) => why).join(' ')} ${byHand(left)}`)
}

function nodeProblem() {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE)
    return `Node ${process.versions.node} is too old to install Lockkeeper: it needs ${OLDEST_NODE} or later. Install a newer Node (https://nodejs.org), then npm ci.`
  if (!existsSync(join(root, 'node_modules/node/bin/node'))) return `The dependencies are not installed. Run npm ci in ${root} first.`
  return null
}

function missingPackages() {
  return [
    ...(hasClients()
      ? []
      : [
          {
            debian: 'postgresql-client',
            brew: 'libpq',
            why: 'pg_dump and pg_restore are missing: backups are made and checked with them.',
          },
        ]),
    ...(onPath('git') ? [] : [{ debian: 'git', brew: 'git', why: 'git is missing: the repository of the application is read with it.' }]),
    ...(onPath('git-lfs')
      ? []
      : [
          {
            debian: 'git-lfs',
            brew: 'git-lfs',
            why: 'git-lfs is missing: files of the application that are in Git LFS are fetched with it.',
          },
        ]),
  ]
}

/** Where the bot itself looks: PATH, then Debian's and Homebrew's directories. POSTGRESQL_INSTALLATIONS names another one than Debian's. */
function hasClients() {
  const debian = process.env.POSTGRESQL_INSTALLATIONS ?? '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, 'bin')) : []
  const places = [...paths(), ...versions, '/opt/homebrew/opt/libpq/bin', '/usr/local/opt/libpq/bin']
  return places.some((place) => existsSync(join(place, 'pg_dump')) && existsSync(join(place, 'pg_restore')))
}

const paths = () => (process.env.PATH ?? '').split(delimiter).filter((place) => place !== '')

const onPath = (program) => paths().some((place) => existsSync(join(place, program)))

const canInstall = () => process.getuid?.() === 0 && onPath('apt-get')

function install(missing) {
  const packages = missing.map(({ debian }) => debian)
  console.log(`Installing ${packages.join(' and ')} with apt-get ...`)
  const run = (args) =>
    spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
  if (run(['update', '-qq']).status === 0) run(['install', '-y', '-qq', '--no-install-recommends', ...packages])
}

function byHand(missing) {
  if (process.platform === 'darwin') return `Type: brew install ${missing.map(({ brew }) => brew).join(' ')}`
  const packages = missing.map(({ debian }) => debian).join(' ')
  if (onPath('apt-get')) return `Type: ${process.getuid?.() === 0 ? '' : 'sudo '}apt-get install ${packages}`
  return `Install them with the package manager of this system (Debian calls them ${packages}).`
}

function stop(text) {
  console.error(text)
  process.exitCode = 1
}

main()
