import { code } from '../../lib/text/code.ts'
import { sqlState as state } from '../../lib/sqlstate.ts'
import type { DiagnosisContext, Entry } from './entry.ts'
import type { Fault } from './fault.ts'

/** A text counts only where the database gave no code: a migration may raise any words. */
const says = ({ sqlState, output }: Pick<Fault, 'sqlState' | 'output'>, pattern: RegExp): boolean =>
  sqlState === null && pattern.test(output)

export const connectionDiagnoses: readonly Entry[] = [
  {
    code: 'too_many_connections',
    matches: (fault) =>
      fault.sqlState === state.tooManyConnections ||
      fault.prismaCode === 'P2037' ||
      says(fault, /too many connections|too many clients already|remaining connection slots/),
    explain: (_fault, context) => ({
      headline: `${code(context.database)} has no connection left for the migrator.`,
      why: 'All connections of the server or of the role are in use, often by a pool that is too large or by processes that were not stopped.',
      next: `See who holds them in \`pg_stat_activity\`, close what is idle or lower the pools' \`connection_limit\`, then ask again.`,
    }),
  },
  {
    code: 'no_such_database',
    matches: (fault) =>
      fault.sqlState === state.invalidCatalogName ||
      fault.prismaCode === 'P1003' ||
      says(fault, /Database `[^`]+` does not exist|database "[^"]+" does not exist/),
    explain: (_fault, context) => ({
      headline: `There is no database ${code(context.database)} on ${endpoint(context)}.`,
      why: 'The name in `database.url` is wrong, or the database was renamed or dropped.',
      next: 'Correct the URL or bring the database back, then ask again. Nothing was changed.',
    }),
  },
  {
    code: 'connection_timeout',
    matches: (fault) =>
      fault.prismaCode === 'P1002' ||
      fault.prismaCode === 'P1008' ||
      fault.prismaCode === 'P2024' ||
      says(fault, /timed out|ETIMEDOUT|timeout exceeded when trying to connect|timeout expired/i),
    explain: (_fault, context) => ({
      headline: `${endpoint(context)} did not answer in time.`,
      why: 'The server is overloaded, asleep (serverless databases wake up on the first connection), or a firewall drops the packets.',
      next: 'Check that the server answers from this machine, wake it up with a first connection, then ask again.',
    }),
  },
  {
    code: 'cannot_reach_server',
    matches: (fault) =>
      fault.sqlState === state.cannotConnectNow ||
      fault.prismaCode === 'P1001' ||
      says(fault, /Can't reach database server|ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ECONNRESET/),
    explain: (_fault, context) => ({
      headline: `The database server ${endpoint(context)} cannot be reached.`,
      why: 'It is down or starting, the address is wrong, or the network between this machine and it is closed.',
      next: 'Check that the server is up and that this machine may reach it (address, firewall, VPN), then ask again.',
    }),
  },
  {
    code: 'tls',
    matches: (fault) =>
      fault.prismaCode === 'P1011' ||
      says(
        fault,
        /self-signed certificate|unable to verify the first certificate|does not support SSL|no pg_hba\.conf entry .* no encryption/,
      ),
    explain: (_fault, context) => ({
      headline: `The encrypted connection to ${endpoint(context)} could not be made.`,
      why: 'The server demands encryption, offers none, or shows a certificate that this machine does not trust.',
      next: 'Set `sslmode` in the URL as the server expects it, and name the authority with `NODE_EXTRA_CA_CERTS` if it is your own. Then ask again.',
    }),
  },
]

const endpoint = ({ host, port }: DiagnosisContext): string => code(`${host}:${port}`)
