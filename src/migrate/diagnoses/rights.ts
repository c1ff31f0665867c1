import { code } from '../../lib/text/code.ts'
import { sqlState as state } from '../../lib/sqlstate.ts'
import { adds, fileSays, ownWords, subject, type DiagnosisContext, type Entry } from './entry.ts'
import { named, type Fault } from './fault.ts'

export const rightsDiagnoses: readonly Entry[] = [
  {
    code: 'must_be_owner',
    matches: ({ sqlState, message }) => sqlState === state.insufficientPrivilege && message?.startsWith('must be owner') === true,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: ${roleOf(context, fault)} does not own ${ownedThing(fault.message)}.`,
      why: 'PostgreSQL lets only the owner of a table, or a member of the owning role, alter or drop it. A grant is not enough.',
      next: `Make ${roleOf(context, fault)} the owner or a member of the owning role, or use the owning role in \`database.url\`. Then ask again.`,
    }),
  },
  {
    code: 'row_security',
    matches: ({ sqlState, message }) => sqlState === state.insufficientPrivilege && /row-level security/.test(message ?? ''),
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: row-level security of ${code(/(?:for|of) table "([^"]+)"/.exec(fault.message ?? '')?.[1] ?? 'a table')} hides or refuses rows of ${roleOf(context, fault)}.`,
      why: `PostgreSQL says: ${ownWords(fault)}.`,
      next: `Change these rows with a role that has \`BYPASSRLS\`, or give ${roleOf(context, fault)} a policy for it. Then ask again.`,
    }),
  },
  {
    code: 'extension_right',
    matches: ({ sqlState, message }) =>
      sqlState === state.insufficientPrivilege && message?.startsWith('permission denied to create extension') === true,
    explain: (fault, context) => ({
      headline: `${subject(context, fault)} stopped: ${roleOf(context, fault)} may not create the extension ${code(named(fault, 'extension') ?? 'that it names')}.`,
      why: `An extension that is not marked as trusted is created by a superuser, or by the provider's own role.${adds(fault.hint)}`,
      next: 'Create it once by hand with a role that may, and write `CREATE EXTENSION IF NOT EXISTS` in the migration. Then ask again.',
    }),
  },
  {
    code: 'permission_denied',
    matches: ({ sqlState }) => sqlState === state.insufficientPrivilege,
    explain: (fault, context) => ({
      headline: `${fault.migration === null && context.migration === null ? 'Nothing was started' : `${subject(context, fault)} stopped`}: ${roleOf(context, fault)} may not use ${deniedThing(fault.message)}.`,
      why:
        deniedThing(fault.message) === UNNAMED && fault.message !== null
          ? `PostgreSQL says: ${ownWords(fault)}.${adds(fault.hint)}`
          : roleOf(context, fault) === OTHER_ROLE
            ? 'The file takes another role for itself, and that one lacks a right that it needs.'
            : 'The role in `database.url` lacks a right that the migration needs.',
      next: `${fault.isForeign ? `Give ${roleOf(context, fault)} what the statement needs (a grant, or the ownership)` : `Grant ${roleOf(context, fault)} the right that the statement needs`}, or use a role that may change the schema. Then ask again.`,
    }),
  },
  {
    code: 'login_refused',
    matches: ({ sqlState, prismaCode, output }) =>
      sqlState === state.invalidPassword ||
      sqlState === state.invalidAuthorization ||
      prismaCode === 'P1000' ||
      prismaCode === 'P1010' ||
      (sqlState === null && /password authentication failed|User was denied access|Authentication failed/.test(output)),
    explain: (_fault, context) => ({
      headline: `${code(context.host)} refused the login of ${code(context.role)}.`,
      why: 'The password is wrong or has changed, the role does not exist, or the server does not let it in from here (`pg_hba.conf`).',
      next: 'Correct the secret that `database.url` refers to, or the rule on the server, then ask again. Nothing was changed.',
    }),
  },
]

const OTHER_ROLE = 'the role that the file sets'

/** A file may take another one for itself. */
const roleOf = (context: DiagnosisContext, fault: Fault): string =>
  fileSays(context, fault, /\bset\s+(?:local\s+|session\s+)?(?:role|session\s+authorization)\b/i)
    ? OTHER_ROLE
    : `the role ${code(context.role)}`

const UNNAMED = 'something that it needs'
const ownedThing = (message: string | null): string => thing(message, /^must be owner of (\w[\w ]*?) "?([^"]+?)"?$/)
const deniedThing = (message: string | null): string => thing(message, /^permission denied for ([\w ]+?) "?([^" ]+?)"?$/)

function thing(message: string | null, pattern: RegExp): string {
  const match = pattern.exec(message ?? '')
  return match?.[1] === undefined || match[2] === undefined ? UNNAMED : `${match[1]} ${code(match[2])}`
}
