import type { CommandToolSettings } from '../../config/tool.ts'
import { prismaDialect, type TargetUrl } from '../../database/urls.ts'
import type { MigrationTool, ToolSession } from '../prisma/tool.ts'

/** A tool that applies everything pending by one command and keeps a record of its own; what it cannot say is not claimed. */
export function commandTool({
  settings,
  url,
  files,
}: {
  readonly settings: CommandToolSettings
  readonly url: TargetUrl
  /** The approved migrations, in whatever language. */
  readonly files: readonly { readonly content: Buffer }[]
}): MigrationTool {
  const none = () => []
  return {
    name: settings.name,
    installed: { version: '', major: 0, atomic: false },
    isAsked: false,
    shown: settings.run.join(' '),
    recordsStart: false,
    leaves: settings.undone && !files.some(({ content }) => OUTSIDE.test(content.toString('utf8'))) ? 'nothing' : 'perhaps',
    commands: { version: [], status: [], deploy: settings.run, pull: [], diff: none, diffLive: none, resolve: none },
    readVersion: () => null,
    readPulled: () => null,
    readStatus: () => ({ datasource: null, found: null, pending: null, failed: [] }),
    readDeploy: () => ({ datasource: null, complete: true }),
    readable: (output) => output.trim(),
    environment: (session) => ({
      ...settings.env,
      NO_COLOR: '1',
      // after the operator's: no setting of his may lead a variable elsewhere
      ...Object.fromEntries(settings.urls.map((name) => [name, plainUrl(url, session)])),
    }),
  }
}

/** What asks for no transaction stays, whatever the tool does with the rest. */
const OUTSIDE = /\bnoTransaction\b|\bconcurrently\b/i

/** As libpq and its kin read it: without what only Prisma knows. */
export function plainUrl(url: TargetUrl, session: ToolSession): string {
  const written = new URL(prismaDialect(url, session))
  for (const name of PRISMAS_OWN) written.searchParams.delete(name)
  // URLSearchParams writes a space as +, which not every reader takes for one
  return written.href.replaceAll('+', '%20')
}

const PRISMAS_OWN = [
  'schema',
  'connection_limit',
  'pool_timeout',
  'socket_timeout',
  'pgbouncer',
  'statement_cache_size',
  'sslaccept',
  'sslidentity',
]
