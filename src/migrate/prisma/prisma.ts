import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { PrismaSettings } from '../../config/tool.ts'
import { prismaDialect, type TargetUrl } from '../../database/urls.ts'
import { PRISMA_LOCALE } from '../../plan/prisma/order.ts'
import { installedVersion } from './installed.ts'
import { readable, readDeploy, readPulled, readStatus, readVersion } from './output.ts'
import type { MigrationTool } from './tool.ts'

/** The Prisma that the application brings (5 to 7), found as Node would find it: beside the application or above it in the checkout. */
export function prismaTool(input: {
  readonly checkout: string
  readonly applicationDirectory: string
  readonly settings: PrismaSettings
  readonly url: TargetUrl
}): MigrationTool | null {
  const cli = findCli(input.checkout, input.applicationDirectory)
  if (cli === null) return null
  return {
    name: 'Prisma',
    installed: installedVersion(cli),
    isAsked: true,
    shown: ['prisma', ...prismaCommands(cli, input.settings.schema).deploy.slice(1)].join(' '),
    recordsStart: true,
    leaves: 'nothing',
    commands: prismaCommands(cli, input.settings.schema),
    readVersion,
    readPulled,
    readStatus,
    readDeploy,
    readable,
    environment: (session) => ({
      ...input.settings.env,
      CHECKPOINT_DISABLE: '1',
      NO_COLOR: '1',
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      ...PRISMA_LOCALE, // it puts migrations in the order of its language
      // after the operator's: no setting of his may lead a variable elsewhere
      ...Object.fromEntries(input.settings.urls.map((name) => [name, prismaDialect(input.url, session)])),
    }),
  }
}

/** Of the program `cli`, with the schema at `path`; what a run asks of it and nothing else. */
export function prismaCommands(cli: string, path: string): MigrationTool['commands'] {
  const schema = ['--schema', path]
  return {
    version: [cli, '--version'],
    status: [cli, 'migrate', 'status', ...schema],
    deploy: [cli, 'migrate', 'deploy', ...schema],
    pull: [cli, 'db', 'pull', '--print', ...schema],
    diff: (from, to, major) => {
      const kind = major >= 7 ? 'schema' : 'schema-datamodel'
      return [cli, 'migrate', 'diff', `--from-${kind}`, from, `--to-${kind}`, to, '--exit-code']
    },
    // the URL stays in the environment: in an argument it could be read by everybody on the machine
    diffLive: (major) => [
      cli,
      'migrate',
      'diff',
      ...(major >= 7
        ? ['--from-config-datasource', '--to-schema', path]
        : ['--from-schema-datasource', path, '--to-schema-datamodel', path]),
      '--exit-code',
    ],
    resolve: (migration, as) => [cli, 'migrate', 'resolve', `--${as}`, migration, ...schema],
  }
}

/** As Node would find it. */
export function findCli(checkout: string, applicationDirectory: string): string | null {
  for (let at = applicationDirectory; !relative(checkout, at).startsWith('..'); at = dirname(at)) {
    const cli = join(at, 'node_modules', '.bin', 'prisma')
    if (existsSync(cli)) return cli
    if (dirname(at) === at) return null
  }
  return null
}
