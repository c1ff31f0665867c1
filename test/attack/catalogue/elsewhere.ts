/**
 * Rows of the security design that no single delivery can carry: they need a run, another database or another moment. Each names the
 * test that drives it, by its title.
 */
export type Elsewhere = {
  readonly row: string
  readonly attack: string
  readonly happens: string
  readonly test: string
  readonly title: string
}

const at = (row: string, attack: string, happens: string, test: string, title: string): Elsewhere => ({ row, attack, happens, test, title })

export const elsewhere: readonly Elsewhere[] = [
  at(
    'replay on another replica',
    'the same signed bytes to a second process',
    'One request is written.',
    'test/attack/catalogue/http.test.ts',
    'what was signed once is done once',
  ),
  at(
    'transport',
    '200 unsigned deliveries',
    'Not one statement reaches the store.',
    'test/attack/catalogue/http.test.ts',
    'asks the store nothing',
  ),
  at(
    'slow requests',
    'headers and bodies that never end',
    'Cut off after seconds, and others are answered meanwhile.',
    'test/attack/catalogue/http.test.ts',
    'are cut off',
  ),
  at(
    'many connections',
    '600 connections that say nothing',
    'The oldest make room; a command is answered.',
    'test/attack/catalogue/http.test.ts',
    'keep nobody out',
  ),
  at(
    'empty signing secret',
    'empty, white space, or a short one',
    'The bot does not start, and says why.',
    'test/attack/catalogue/http.test.ts',
    'does not start with a signing secret',
  ),
  at(
    'duplicated envelopes',
    'a vote that comes on every connection',
    'Counted once.',
    'test/attack/catalogue/socket.test.ts',
    'a vote that comes on every connection at once counts once',
  ),
  at(
    'double click',
    'ten clicks at one moment',
    'Counted once; the others are told so.',
    'test/attack/catalogue/socket.test.ts',
    'ten votes of one person at one moment',
  ),
  at(
    'removed from the group since',
    "the group changes while the vote's window is on its way",
    'Refused, or voted and not started: never run by an approver who had left.',
    'test/attack/catalogue/socket.test.ts',
    'races with being taken out of the group',
  ),
  at(
    'two approvers at once',
    'both click at one moment',
    'Each counts once, and it is granted once.',
    'test/approvals/decisions/vote.test.ts',
    'of two approvers at once counts each once',
  ),
  at(
    'approve and reject at once',
    'both at one moment',
    'One wins, the other is told; a rejection is final.',
    'test/approvals/decisions/vote.test.ts',
    'to approve and one to reject at once',
  ),
  at(
    'threshold lowered since',
    'fewer approvals are configured after the request',
    'The stricter of then and now holds.',
    'test/approvals/decisions/vote.test.ts',
    'a threshold that was lowered since does not',
  ),
  at(
    'a commit no longer reachable',
    'the branch was forced elsewhere',
    'Refused.',
    'test/plan/repository.test.ts',
    'a commit that was forced off the branch is no longer reachable',
  ),
  at(
    'another database behind the same name',
    'a driver adapter leads to another database',
    'Found before anything starts.',
    'test/migrate/apply.test.ts',
    'a configuration that leads Prisma to another database is found before anything starts',
  ),
  at(
    'environment of children',
    '`NODE_OPTIONS`, `LD_PRELOAD`, `PGOPTIONS`',
    'No child of the repository sees them.',
    'test/attack/hostile-application.test.ts',
    'an application that pries, lies and leaves things behind',
  ),
  at(
    'environment of children',
    '`PRISMA_SCHEMA_DISABLE_ADVISORY_LOCK`, a `.env` beside the migrations',
    'Neither reaches the migrator.',
    'test/migrate/apply-with-cli.test.ts',
    'a hostile environment does not reach the migrator',
  ),
  at(
    'environment of children',
    'a build step reads `/proc/*/environ`',
    "None of the bot's secrets stand there.",
    'test/attack/environment.test.ts',
    'find no secret of the bot in its environment',
  ),
  at('truncated', 'a backup that was cut', 'Refused when it is read back.', 'test/backup/providers/verify.test.ts', 'a truncated file'),
  at(
    'byte-flipped',
    'one byte of a backup is changed',
    'Refused when it is read back.',
    'test/backup/providers/verify.test.ts',
    'one changed byte at %i of the data',
  ),
  at('empty', 'a file of a backup is emptied', 'Refused when it is read back.', 'test/backup/providers/verify.test.ts', 'an emptied file'),
  at(
    'older `pg_dump` than the server',
    'only an older client is installed',
    'Refused before the run.',
    'test/backup/providers/clients.test.ts',
    'when they are older than the server',
  ),
  at(
    'break-glass',
    'somebody who is not named breaks the glass',
    'Refused.',
    'test/approvals/break-glass/decision.test.ts',
    'for somebody who is not named',
  ),
  at(
    'break-glass',
    'whoever broke it reviews it himself',
    'The store takes no such row.',
    'test/approvals/break-glass/decision.test.ts',
    'by somebody who took part cannot be written into the store at all',
  ),
  at(
    'ending a session',
    'whoever only asked for the run ends who is in its way',
    'Refused: it is a right of approvers. The record has it.',
    'test/approvals/decisions/blocker.test.ts',
    'is no right of whoever only asked for the run',
  ),
  at(
    'ending a session',
    'the window showed another session than the one that is in the way now',
    'Refused, and nothing is ended.',
    'test/approvals/decisions/blocker.test.ts',
    'is refused when another session is in the way than the one that was shown',
  ),
  at(
    'ending a session',
    'the session has gone on to another transaction, or its process id is used again',
    'Nothing is ended: the server compares when session and transaction began.',
    'test/guard/sample.test.ts',
    'a session is ended in the transaction in which it was seen, and in no other',
  ),
  at(
    'waiver',
    'approving what a finding blocks; a waiver by whoever asked, or by somebody who may not',
    'Refused, and nothing is changed.',
    'test/approvals/decisions/waive.test.ts',
    'who may not is told who may',
  ),
  at(
    'waiver',
    'a waiver of an earlier plan, or of a finding whose numbers became worse since',
    'It lets nothing pass.',
    'test/approvals/decisions/waive.test.ts',
    'what became worse since is another finding, and one of an earlier plan lets nothing of a new one pass',
  ),
  at(
    'waiver',
    'somebody who waived leaves the group before the run starts',
    'The run does not start.',
    'test/approvals/decisions/waive.test.ts',
    'a waiver counts no more at the start of the run when whoever gave it may not any more',
  ),
  at(
    'assertion',
    'SQL that writes, several statements, SELECT INTO, FOR UPDATE, functions that act outside of a transaction',
    'Refused while planning; what still got through would meet a read-only transaction.',
    'test/watching/assertions.test.ts',
    'is not %j',
  ),
  at(
    'staging first',
    'what ran in a database that is another one now, or ran with another content',
    'Refused while planning, with what is missing.',
    'test/approvals/requests/after.test.ts',
    'it has to be there for as long as the target says, from the first run that succeeded on',
  ),
]
