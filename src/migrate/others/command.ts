import { stripVTControlCharacters } from 'node:util'
import type { CommandToolSettings } from '../../config/tool.ts'
import { nodeDialect, type TargetUrl } from '../../database/urls.ts'
import type { MigrationTool } from '../prisma/tool.ts'

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
    readable: (output) => stripVTControlCharacters(output).trim(), // some draw a wheel whether there is a terminal or not
    environment: (session) => ({
      ...settings.env,
      NO_COLOR: '1',
      // after the operator's: no setting of his may lead a variable elsewhere
      ...Object.fromEntries(settings.urls.map((name) => [name, nodeDialect(url, session)])),
    }),
  }
}

/** What asks for no transaction stays, whatever the tool does with the rest. */
const OUTSIDE = /\bno\s*transaction\b|\btransaction:\s*false\b|\bconcurrently\b/i
