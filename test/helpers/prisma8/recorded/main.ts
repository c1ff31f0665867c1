import { loadConfig } from './config.ts'
import { migrate } from './migrate.ts'
import { readMigrations } from './packages.ts'
import { finish } from './say.ts'
import { show } from './show.ts'
import { verify } from './verify.ts'

/**
 * A program that stands where the Prisma 8 of an application stands, which installed is 1.1 GB. It does what the real one does with
 * `db migrate [--show] --to HASH` and `db verify`, as far as `test/contract/prisma8` holds it against the real one; the rest it refuses.
 */
async function main([group, command, ...options]: readonly string[]): Promise<void> {
  const known = group === 'db' && (command === 'migrate' ? isMigrate(options) : command === 'verify' && options.length === 0)
  if (!known) {
    process.stderr.write('The recorded Prisma 8 does not know this.\n')
    process.exit(70)
  }
  const config = await loadConfig(`db.${command}`)
  if (command === 'verify') return verify(config)
  const to = options.at(-1) ?? ''
  const migrations = readMigrations(config.directory)
  const isThere = migrations.some((one) => one.to === to || one.from === to)
  if (!isThere)
    return finish('db.migrate', {
      code: 'MIGRATION.REF_NOT_FOUND',
      summary: `Not a known contract reference: "${to}"`,
      why: `No contract matching "${to}" exists in the migration graph or refs index.`,
      nextActions: [{ kind: 'user-choice', label: 'Provide a valid contract hash, ref name, or migration directory name.' }],
      meta: { input: to, grammar: 'contract' },
    })
  return options[0] === '--show' ? show(config, migrations, to) : migrate(config, migrations, to)
}

const isMigrate = (options: readonly string[]): boolean => {
  const rest = options[0] === '--show' ? options.slice(1) : options
  return rest.length === 2 && rest[0] === '--to'
}

process.removeAllListeners('warning') // the real one loads the configuration by other means, about which Node has nothing to say
await main(process.argv.slice(2))
