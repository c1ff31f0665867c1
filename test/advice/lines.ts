/** Lines for a shell or for the database that are driven elsewhere, and those that no test can type; the rest is typed in lines.test.ts. */

/** A test, by its file below test/ and its title there, in which the line is typed as it is advised. */
type Elsewhere = { readonly shapes: readonly string[]; readonly file: string; readonly title: string }

export const drivenElsewhere: readonly Elsewhere[] = [
  {
    shapes: ['GRANT … TO …;', 'SELECT pg_terminate_backend(…);'],
    file: 'guard/sample.test.ts',
    title: 'a role without rights sees the queue, ends nobody, and says what it lacks and who can',
  },
  {
    shapes: ['ALTER DATABASE … RESET …'],
    file: 'plan/session.test.ts',
    title: 'and what takes that back can be run as it stands there, whatever the name',
  },
  {
    shapes: ['alter table … disable row level security'],
    file: 'plan/session.test.ts',
    title: 'is refused, since Prisma would apply everything again',
  },
  {
    shapes: ['ALTER TABLE … SET SCHEMA …'],
    file: 'migrate/observe/misplaced.test.ts',
    title: 'and what moves it can be run as it stands there, whatever the names',
  },
  {
    shapes: ['ALTER TABLE … OWNER TO …'],
    file: 'migrate/observe/misplaced.test.ts',
    title: 'a role that is left owns what later files create',
  },
  { shapes: ['RESET search_path;'], file: 'migrate/observe/misplaced.test.ts', title: 'not when it is taken back' },
  {
    shapes: ['git stash --include-untracked', 'git update-index … -- …', 'git … …'],
    file: 'run/preflight/live-checkout.test.ts',
    title: 'what is advised works as it stands: %s',
  },
  {
    shapes: ['npx prisma migrate resolve', 'npx prisma migrate resolve --applied &lt;migration&gt;'],
    file: 'plan/status-against-cli.test.ts',
    title: 'failed and resolved as applied: two rows for one name, and both say applied',
  },
  {
    shapes: [
      'lockkeeper audit accept --reason "…"',
      'lockkeeper audit accept',
      'lockkeeper audit verify',
      'lockkeeper audit list',
      'lockkeeper audit list --before …',
      'lockkeeper audit',
    ],
    file: 'flows/trust.test.ts',
    title: 'a changed audit row is noticed, said everywhere, and nothing runs until an operator has accepted it',
  },
  {
    shapes: ['lockkeeper store take-over --reason "…"', 'lockkeeper store take-over', 'lockkeeper store'],
    file: 'flows/trust.test.ts',
    title: 'a second bot with the same token and another store is noticed: nothing runs, and its cards are told from ours',
  },
  {
    shapes: ['lockkeeper evidence key', 'lockkeeper evidence verify FILE'],
    file: 'flows/evidence.test.ts',
    title: 'the command line tells a tampered bundle, an unknown key and what is no bundle apart, and needs no store with a key',
  },
  {
    shapes: ['lockkeeper export …'],
    file: 'commands/export.test.ts',
    title: 'both files are written to a directory, readable by their owner alone, and never over another',
  },
  {
    shapes: ['lockkeeper check', 'lockkeeper check --config …'],
    file: 'commands/operator/check.test.ts',
    title: 'check says what it found and ends with 0 when a run has everything it needs',
  },
  {
    shapes: ['lockkeeper review'],
    file: 'commands/operator/review/formats.test.ts',
    title: 'a comment is never longer than GitHub takes, and says how many findings are left out',
  },
  { shapes: ['lockkeeper doctor'], file: 'commands/operator/doctor.test.ts', title: 'a healthy installation fits on one screen' },
  {
    shapes: ['lockkeeper init'],
    file: 'commands/operator/init.test.ts',
    title: 'init asks in a terminal, explains a wrong answer, and writes a file that can be used',
  },
  {
    shapes: ['lockkeeper maintenance'],
    file: 'commands/operator/command-line.test.ts',
    title: 'a maintenance window is planned, listed, moved and cancelled at the machine, and announced in Slack',
  },
  {
    shapes: ['lockkeeper status'],
    file: 'commands/operator/command-line.test.ts',
    title: 'status, plan and history answer as they do in Slack',
  },
  {
    shapes: ['lockkeeper cancel …'],
    file: 'commands/operator/command-line.test.ts',
    title: 'what is asked for at the machine is taken up by the running bot, and shown and cancelled at the machine',
  },
  {
    shapes: ['lockkeeper approve', 'lockkeeper …'],
    file: 'commands/operator/command-line.test.ts',
    title: 'while Slack answers, votes belong there; when it does not, a named person decides at the machine',
  },
]

const WORDS = 'it names what a file or a person did, and nobody is told to type it'
const REGISTRY = 'it loads from the package registry, which no test of this repository asks'
const PRISMA8 = 'Prisma 8 is more than a gigabyte of packages, which CI does not install'
const MACHINE = 'it needs a machine with that service or that package manager, and changes it'

/** `why`: what keeps a test from typing it. */
export const notDriven: readonly { readonly shapes: readonly string[]; readonly why: string }[] = [
  { shapes: ['ALTER DATABASE … SET', 'ALTER ROLE ALL SET', 'ALTER ROLE … IN DATABASE … SET', 'ALTER ROLE … SET'], why: WORDS },
  {
    shapes: [
      'COPY … FROM stdin',
      'CREATE OR REPLACE',
      'CREATE OR REPLACE VIEW',
      'GENERATED ALWAYS',
      'IF NOT EXISTS',
      'ON CONFLICT',
      'READ ONLY',
    ],
    why: WORDS,
  },
  { shapes: ['prisma db migrate', 'prisma db verify'], why: WORDS },
  { shapes: ['lockkeeper plan'], why: 'it is the name of a session, for `pg_stat_activity`' },
  {
    shapes: [
      'npm ci',
      'npm install --save-dev --save-exact prisma',
      'npm install --save-dev --save-exact prisma@7',
      'npm install --save-dev --save-exact prisma@8',
      'npm install --save-dev prisma',
    ],
    why: REGISTRY,
  },
  {
    shapes: [
      'npx prisma contract emit',
      'npx prisma migration check',
      'npx prisma db sign',
      'npx prisma migration plan',
      'npx prisma migration plan --from …',
      'node …',
    ],
    why: PRISMA8,
  },
  { shapes: ['apt-get install', 'brew install', 'systemctl status', 'pm2 restart shop', 'pm2 ls'], why: MACHINE },
  { shapes: ['/invite @lockkeeper'], why: 'it is a command of Slack’s own' },
]
