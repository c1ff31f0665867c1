/**
 * The plan of the house: which folders there are, what belongs into each, and what may import what. From bottom to top: a folder imports
 * only what stands before it. `inner` is the same order among the folders of a room, where `.` are the files at its root.
 * The linter's rules (`oxlint.config.ts`), the structure check and `docs/architecture.md` all follow from it.
 */
export type Room = {
  /** From the root of the repository. */
  readonly folder: string
  /** What belongs here, as a sentence of the linter and of the architecture page. */
  readonly holds: string
  readonly inner?: readonly string[]
}

export const rooms: readonly Room[] = [
  { folder: 'src/redact', holds: 'forms of a secret and the search for them: the one redactor' },
  {
    folder: 'src/lib',
    holds: 'leaves without a topic of the product: text, time, canonical JSON, refusals, log, telemetry, failpoints',
    inner: ['text', '.'],
  },
  { folder: 'src/process', holds: 'child processes: the only place that starts one' },
  { folder: 'src/calendar', holds: 'zones, cron, opening hours, holidays, and how people write and read times; pure' },
  {
    folder: 'src/config',
    holds: 'lockkeeper.yaml: schema, reading, what is wrong with it, references to secrets',
    inner: ['keys', '.'],
  },
  {
    folder: 'src/database',
    holds: 'the target: connections, identity, rights, locks, sizes, sessions',
    inner: ['urls', '.', 'catalogue', 'live'],
  },
  { folder: 'src/store', holds: "the bot's own PostgreSQL: pool, migrations, embedded server, rows that are due" },
  { folder: 'src/engine', holds: 'DBOS: workflows that survive the process, liveness, adoption' },
  {
    folder: 'src/live-schema',
    holds: "the target's schema as the last verified run left it: what differs now, what was set aside to be dropped",
  },
  {
    folder: 'src/slack',
    holds: 'blocks, limits, sending; it knows no feature of the product',
    inner: ['.', 'blocks', 'limits', 'client', 'outbox', 'answers'],
  },
  { folder: 'src/audit', holds: 'the hash-chained record of every act, its checkpoints and its verification' },
  {
    folder: 'src/sql',
    holds: "PostgreSQL's parser: what statements do, classes of change, findings",
    inner: ['effects', 'rules', 'weigh', 'conventions', 'opinion', '.'],
  },
  {
    folder: 'src/plan',
    holds: 'what is approved: migrations as git objects, status, comparison, digest; no code of the repository runs here',
    inner: ['prisma', 'weighed', '.', 'rules', 'prisma8', 'tool'],
  },
  {
    folder: 'src/request',
    holds: 'the rows of a request, its events and turn, and how card and thread are drawn from them',
    inner: ['.', 'render'],
  },
  { folder: 'src/backup', holds: 'catalogue, manifest, retention; a provider a file under providers/', inner: ['.', 'providers'] },
  { folder: 'src/deploy', holds: 'checkout, dependencies and commands of the application' },
  { folder: 'src/watching', holds: 'probes of the running application, and assertions about the data' },
  {
    folder: 'src/guard',
    holds: 'what watches a migration while it runs: who is in its way, who waits behind it, and when it is cancelled',
  },
  {
    folder: 'src/migrate',
    holds: 'the real Prisma CLI: starts, watching, what came of it, diagnoses',
    inner: ['attempts', 'prisma', 'others', 'observe', 'diagnoses', 'decide', 'prisma8', '.'],
  },
  {
    folder: 'src/run',
    holds: 'the run: preflight checks, steps, the workflow that carries them, what a killed run leaves',
    inner: ['.', 'preflight', 'assertions', 'steps', 'step-runner', 'workflow'],
  },
  { folder: 'src/notifications', holds: 'what leaves by other ways than Slack: mail, webhooks, on-call' },
  { folder: 'src/observability', holds: '/livez, /readyz, /metrics, traces, the log of activities' },
  { folder: 'src/evidence', holds: 'signed bundles about a request', inner: ['document', 'page', '.'] },
  {
    folder: 'src/windows',
    holds: 'maintenance windows: rows, schedule, notices, freezes, checklists, the calendar feed',
    inner: ['.', 'feed', 'notices', 'freezes', 'schedule', 'render', 'jobs'],
  },
  {
    folder: 'approvals',
    holds: 'who may decide, and every decision: votes, reviews, cancels, acknowledgements, break-glass; their windows, cards and Home',
    inner: ['.', 'decisions', 'cards', 'modals', 'break-glass', 'requests', 'buttons', 'home'],
  },
  {
    folder: 'commands',
    holds: "the doors: Slack's commands, forms and buttons, the command line; parsing, verbs, the operator's programs",
    inner: ['parse', 'verbs', 'forms', 'windows', '.', 'operator'],
  },
  { folder: 'src/app', holds: 'wiring without rules: the process, its parts, their start and stop' },
]

/** Most files a folder, most lines a file (`.sql` and generated files left out). */
export const most = { files: 14, lines: 300 } as const
