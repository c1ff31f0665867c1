import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { applicationPath, installCommand, installedModules, migrateShop, shopMigrations, toolEnvironment } from './shop/application.ts'
import { freePort, healthOf, makeLiveDirectory, pm2In, type LiveShop } from './shop/live.ts'
import { git, makeShopRepository, shopFiles, type ShopRepository } from './shop/repository.ts'
import { fillShop, PENDING_IN_PRODUCTION } from './shop/rows.ts'
import { onServer } from './shop/server.ts'

/** The sample shop with all that a target is made of: two of them, one up to date and one with three migrations pending. */
export type Sample = {
  readonly repository: Pick<ShopRepository, 'path' | 'main' | 'live'>
  readonly staging: LiveShop
  readonly production: LiveShop
  readonly pm2Home: string
  /** What the references in `configuration` point at; belongs into the bot's environment. */
  readonly env: Readonly<Record<'SHOP_STAGING_URL' | 'SHOP_PRODUCTION_URL', string>>
  /** The text of a `lockkeeper.yaml` with the targets `staging` and `prod`. */
  readonly configuration: string
  /** Whether it was there already. */
  readonly found: boolean
  /** Ends PM2 and the shops. Repository, databases and live directories stay for the next start. */
  readonly close: () => Promise<void>
}

export type SampleOptions = {
  /** Everything but the databases and PM2's home is below it. */
  readonly directory: string
  /** A session URL of the PostgreSQL server whose user may create databases. */
  readonly serverUrl: string
  /** PM2's home; it has to be short, so by default it is below the temporary directory when `directory` is long. */
  readonly pm2Home?: string
  readonly channel?: string
  /** Who approves changes to production. */
  readonly approvers?: readonly string[]
  readonly orders?: number
  /** Put before the names of both databases, for tests that share a server. */
  readonly prefix?: string
  /** Where the installed dependencies are kept; by default below `directory`. */
  readonly cache?: string
}

/** Makes the sample, or finds the one of an earlier start and brings it up again. Measured on two cores: 8 s at first, 1 s later. */
export async function makeSample(options: SampleOptions): Promise<Sample> {
  const directory = resolve(options.directory)
  const pm2Home = options.pm2Home ?? shortHome(directory)
  const pm2 = await pm2In({ home: pm2Home, bin: join(directory, 'bin') })
  const remembered = await read(directory)
  const files = createHash('sha256')
    .update(JSON.stringify([...(await shopFiles())]))
    .digest('hex')
  const urls = urlsOf(options)
  const found = remembered?.files === files && (await allThere(options.serverUrl, urls))
  if (!found) {
    await pm2.end()
    await makeAnew(directory, urls, options)
  }
  const path = join(directory, 'shop.git')
  const repository = found ? remembered.repository : await makeShopRepository(path)
  const modules = await installedModules(cacheOf(options))
  const shops = await bringUp({ directory, repository, modules, urls, pm2, ports: remembered?.ports })
  const { main, live } = repository
  await writeFile(
    join(directory, 'sample.json'),
    JSON.stringify({ files, repository: { path, main, live }, ports: [shops.staging.port, shops.production.port] }),
  )
  return {
    repository: { path, main, live },
    ...shops,
    pm2Home,
    env: { SHOP_STAGING_URL: urls.staging, SHOP_PRODUCTION_URL: urls.production },
    configuration: configurationOf({ directory, path, ...shops }, options),
    found,
    close: pm2.end,
  }
}

const cacheOf = ({ directory, cache }: SampleOptions) => cache ?? join(resolve(directory), 'cache')

type Urls = { readonly staging: string; readonly production: string }
type Remembered = { readonly files: string; readonly repository: Sample['repository']; readonly ports: readonly [number, number] }

const read = (directory: string): Promise<Remembered | null> =>
  readFile(join(directory, 'sample.json'), 'utf8').then(
    (text) => JSON.parse(text) as Remembered, // written by this module, at the end of a complete start
    () => null,
  )

/** A socket's path may have about 100 characters. */
const shortHome = (directory: string) =>
  directory.length <= 70
    ? join(directory, 'pm2')
    : join(tmpdir(), `shop-pm2-${createHash('sha256').update(directory).digest('hex').slice(0, 12)}`)

function urlsOf({ serverUrl, prefix = '' }: SampleOptions): Urls {
  const named = (name: string) => {
    const url = new URL(serverUrl)
    url.pathname = `/${prefix}${name}`
    return url.href
  }
  return { staging: named('shop_staging'), production: named('shop_production') }
}

async function allThere(serverUrl: string, urls: Urls): Promise<boolean> {
  return onServer(serverUrl, async (client) => {
    const names = [nameOf(urls.staging), nameOf(urls.production)]
    return (await client.query('select 1 from pg_database where datname = any($1)', [names])).rowCount === 2
  })
}

/** Databases get their names when they are complete, so that an interrupted start leaves nothing that looks finished. */
async function makeAnew(directory: string, urls: Urls, options: SampleOptions): Promise<void> {
  const cache = cacheOf(options)
  for (const old of ['shop.git', 'live', 'sample.json']) await rm(join(directory, old), { recursive: true, force: true })
  await mkdir(cache, { recursive: true })
  const making = new URL(urls.production)
  making.pathname = `${making.pathname}_making`
  await onServer(options.serverUrl, async (client) => {
    for (const url of [urls.staging, urls.production, making.href])
      await client.query(`drop database if exists ${pg.escapeIdentifier(nameOf(url))} with (force)`)
    await client.query(`create database ${pg.escapeIdentifier(nameOf(making.href))}`)
    const names = await shopMigrations()
    const live = names.slice(0, -PENDING_IN_PRODUCTION).at(-1)
    if (live === undefined) throw new Error('The sample shop has too few migrations.')
    await migrateShop({ cache, url: making.href, upTo: live })
    await fillShop(making.href, options.orders)
    await client.query(
      `create database ${pg.escapeIdentifier(nameOf(urls.production))} template ${pg.escapeIdentifier(nameOf(making.href))}`,
    )
    await migrateShop({ cache, url: making.href })
    await client.query(`alter database ${pg.escapeIdentifier(nameOf(making.href))} rename to ${pg.escapeIdentifier(nameOf(urls.staging))}`)
  })
}

async function bringUp(options: {
  readonly directory: string
  readonly repository: Sample['repository']
  readonly modules: string
  readonly urls: Urls
  readonly pm2: Awaited<ReturnType<typeof pm2In>>
  readonly ports: readonly [number, number] | undefined
}): Promise<{ readonly staging: LiveShop; readonly production: LiveShop }> {
  const { directory, repository, modules, urls, pm2, ports } = options
  const places = { staging: join(directory, 'live/staging'), production: join(directory, 'live/production') }
  const common = { repository: repository.path, modules }
  await makeLiveDirectory({ ...common, directory: places.staging, commit: repository.main })
  await makeLiveDirectory({ ...common, directory: places.production, commit: repository.live })
  const shopsAt = (staging: number, production: number) => ({
    staging: { name: 'shop-staging', directory: places.staging, port: staging, databaseUrl: urls.staging },
    production: { name: 'shop-production', directory: places.production, port: production, databaseUrl: urls.production },
  })
  if (ports !== undefined && (await isUp(shopsAt(...ports)))) return shopsAt(...ports)
  await pm2.end() // whatever an earlier start left: its ports and URLs may be others
  const shops = shopsAt(await freePort(ports?.[0]), await freePort(ports?.[1]))
  await pm2.start([shops.staging, shops.production])
  await answering(shops)
  return shops
}

/** Whether both answer, each from the commit that its own live directory is at. */
async function isUp(shops: { readonly staging: LiveShop; readonly production: LiveShop }): Promise<boolean> {
  const ups = await Promise.all(
    [shops.staging, shops.production].map(async ({ port, directory }) => {
      const health = await healthOf(port)
      return health !== null && health.version === (await git(directory, ['rev-parse', 'HEAD'])).trim()
    }),
  )
  return ups.every(Boolean)
}

async function answering(shops: { readonly staging: LiveShop; readonly production: LiveShop }): Promise<void> {
  for (const end = Date.now() + 20_000; !(await isUp(shops)); await wait(50))
    if (Date.now() > end) throw new Error(`The sample shops do not answer; their logs are PM2's (${shops.production.directory}).`)
}

const nameOf = (url: string) => decodeURIComponent(new URL(url).pathname.slice(1))

/** Nothing closes production by itself here: whoever tries it at noon shall see a run. */
const windowsOf = (approvers: readonly string[]): readonly string[] => [
  'windows:',
  `  override: ${JSON.stringify(approvers)}`,
  '  people: [user:U0CAROL]',
  '  checklist:',
  '    T-48h: [{ text: "Rehearse on a copy of production", owner: "user:U0BOB" }]',
  '    T-1h: [{ text: "Tell the support desk", owner: "user:U0CAROL" }]',
  '    during: [{ text: "The backup is verified", knows: backup }, { text: "The health checks are green", knows: health }]',
]

type Placed = { readonly directory: string; readonly path: string; readonly staging: LiveShop; readonly production: LiveShop }

/** JSON strings are YAML strings, so paths with any characters stay whole. */
function configurationOf(placed: Placed, options: SampleOptions): string {
  const { channel = 'C0DEPLOYS', approvers = ['group:S0DBA'] } = options
  const path = `${join(placed.directory, 'bin')}:${applicationPath}`
  const target = (name: string, label: string, shop: LiveShop, reference: string, rest: readonly string[]) => `
  ${name}:
    label: ${label}
    channel: ${channel}
    source:
      repository: ${JSON.stringify(placed.path)}
      branch: main
      install: ${JSON.stringify(installCommand)}
      path: ${JSON.stringify(path)}
    database: { url: env:${reference}, lockTimeout: 2s, statementTimeout: 15m }
    guard: { pauses: [1s, 2s, 3s, 5s] }
    tool:
      prisma:
        env: ${JSON.stringify(toolEnvironment)}
    prepare:
      - { name: Build, run: [npm, run, --silent, build], timeout: 2m }
      - { name: Fetch, cwd: ${JSON.stringify(shop.directory)}, run: [git, fetch, --quiet, origin], timeout: 1m }
    deploy:
      - { name: Switch, cwd: ${JSON.stringify(shop.directory)}, run: [git, checkout, --quiet, --detach, "{commit}"], timeout: 1m, repeatable: true }
      - { name: Restart, cwd: ${JSON.stringify(shop.directory)}, run: [pm2, restart, ${shop.name}], timeout: 1m, repeatable: true }
    current: [git, -C, ${JSON.stringify(shop.directory)}, rev-parse, HEAD]
    health:
      - { http: "http://127.0.0.1:${shop.port}/health", within: 30s }
${rest.map((line) => `    ${line}\n`).join('')}`
  return `# The sample shop: one repository, two targets.
slack: { mode: socket }
targets:${target('staging', 'Staging', placed.staging, 'SHOP_STAGING_URL', ['protected: false', `approvals: { required: 1, from: ${JSON.stringify(approvers)} }`])}${target('prod', 'Production', placed.production, 'SHOP_PRODUCTION_URL', ['protected: true', `approvals: { required: 1, from: ${JSON.stringify(approvers)}, expires: 4h }`, `breakGlass: { from: ${JSON.stringify(['user:U0ALICE', ...approvers])} }`, 'timezone: America/New_York', ...windowsOf(approvers)])}`
}
