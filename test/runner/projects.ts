import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'

const root = join(import.meta.dirname, '../..')

/**
 * What a test needs decides how it is run. `unit`: nothing but this process, in threads that share what they loaded. `parts`: PostgreSQL,
 * pg_dump, git or another program. `runs`: a whole bot. `faults`: bots that are killed, servers that crash.
 */
export const projectNames = ['unit', 'parts', 'runs', 'faults'] as const
export type ProjectName = (typeof projectNames)[number]

/** Folders and files below test/; of two that fit the longer one counts. */
const places: Readonly<Record<ProjectName, readonly string[]>> = {
  unit: [
    'approvals/cards/',
    'approvals/home/calendar.test.ts',
    'attack/messages.test.ts',
    'backup/providers/decode.test.ts',
    'backup/retention.test.ts',
    'bench/',
    'calendar/',
    'commands/http-guard.test.ts',
    'commands/operator/check-notifications.test.ts',
    'commands/operator/review/command.test.ts',
    'commands/operator/review/formats.test.ts',
    'commands/parse/',
    'config/',
    'contract/capabilities/',
    'contract/corpus/review.test.ts',
    'contract/forecast/forecast.test.ts',
    'faults/invariants.test.ts',
    'faults/report.test.ts',
    'faults/shares.test.ts',
    'guard/decide.test.ts',
    'guard/queue.test.ts',
    'lib/',
    'migrate/decide/one-script.test.ts',
    'migrate/decide/outcomes.test.ts',
    'migrate/decide/verdict.test.ts',
    'migrate/prisma8/next.test.ts',
    'notifications/mail.test.ts',
    'notifications/webhook.test.ts',
    'observability/readiness.test.ts',
    'plan/digest.test.ts',
    'plan/prisma8/graph.test.ts',
    'plan/prisma8/package.test.ts',
    'plan/prisma8/review.test.ts',
    'plan/prisma8/unfit.test.ts',
    'plan/prisma8/version.test.ts',
    'plan/prisma/config.test.ts',
    'plan/prisma/version.test.ts',
    'plan/rules/',
    'plan/status.test.ts',
    'playground/',
    'redact/',
    'request/render/',
    'run/order.test.ts',
    'run/preflight/',
    'runner/',
    'slack/answers/',
    'slack/client/',
    'slack/limits/',
    'sql/',
    'watching/',
    'windows/',
  ],
  parts: [
    'advice/',
    'approvals/',
    'attack/',
    'audit/',
    'backup/',
    'commands/',
    'config/commands.test.ts',
    'contract/',
    'database/',
    'deploy/',
    'engine/',
    'evidence/',
    'faults/infrastructure.test.ts',
    'faults/proxy.test.ts',
    'guard/',
    'lib/text/code.test.ts',
    'live-schema/',
    'migrate/',
    'notifications/',
    'plan/',
    'playground/sample.test.ts',
    'playground/shop.test.ts',
    'playground/shop7.test.ts',
    'playground/shop8.test.ts',
    'process/',
    'request/',
    'run/',
    'run/preflight/live-checkout.test.ts',
    'run/preflight/capacity.test.ts',
    'run/preflight/readable.test.ts',
    'run/preflight/runner.test.ts',
    'runner/left-behind.test.ts',
    'scripts/',
    'slack/outbox/',
    'store/',
    'windows/feed/',
    'windows/freezes/',
    'windows/jobs/',
    'windows/notices/announce.test.ts',
  ],
  runs: [
    'app/',
    'attack/canary.test.ts',
    'attack/catalogue/',
    'attack/environment.test.ts',
    'attack/hostile-application.test.ts',
    'commands/operator/command-line.test.ts',
    'flows/',
    'observability/observed.test.ts',
    'windows/jobs/notify.test.ts',
  ],
  faults: ['faults/'],
}

/** The projects of a file below test/: one, or the table is wrong. */
export function projectsOf(file: string): readonly ProjectName[] {
  const lengthIn = (name: ProjectName) => Math.max(0, ...places[name].filter((place) => fits(place, file)).map(({ length }) => length))
  const longest = Math.max(...projectNames.map(lengthIn))
  return longest === 0 ? [] : projectNames.filter((name) => lengthIn(name) === longest)
}

const fits = (place: string, file: string): boolean => (place.endsWith('/') ? file.startsWith(place) : file === place)

/** Entries of the table that no file needs. */
export const idlePlaces = (files: readonly string[]): readonly string[] =>
  Object.values(places)
    .flat()
    .filter((place) => !files.some((file) => fits(place, file)))

/** Every test file below test/, but for those of the browser, which have a configuration of their own. */
export const testFiles = (): readonly string[] =>
  readdirSync(join(root, 'test'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.test\.tsx?$/.test(entry.name))
    .map((entry) => relative(join(root, 'test'), join(entry.parentPath, entry.name)))
    .filter((file) => !file.startsWith('browser/'))
    .toSorted()
