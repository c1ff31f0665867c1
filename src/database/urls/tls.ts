import type { Parameters } from './parameters.ts'

export type Tls = {
  readonly mode: 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full'
  /** Files; a certificate authority, and a client's certificate with its key. Null: the authorities that the machine knows. */
  readonly ca: string | null
  readonly certificate: string | null
  readonly key: string | null
}

/** What the parameters together ask for, in libpq's words; a part of a sentence where they contradict each other. */
export function readTls(parameters: Parameters, host: string): Tls | string {
  const mode = modeIn(parameters)
  if ('why' in mode) return mode.why
  if (host.startsWith('/')) return { mode: 'disable', ca: null, certificate: null, key: null } // libpq has none on a socket either
  const tls = tlsIn(parameters, mode)
  if (typeof tls === 'string') return tls
  if (parameters.get('sslnegotiation') === 'direct' && (tls.mode === 'prefer' || tls.mode === 'disable'))
    return 'its sslnegotiation=direct needs sslmode=require, verify-ca or verify-full'
  if (tls.mode === 'verify-full' && host.endsWith('.'))
    return "its host ends in a dot, which not every reader leaves out when it compares the server's certificate; leave it out"
  return tls
}

function tlsIn(parameters: Parameters, mode: ReadMode): Tls | string {
  const key = parameters.get('sslkey') ?? null
  const certificate = key === null ? null : (parameters.get('sslcert') ?? null)
  if (key !== null && certificate === null) return 'its parameter sslkey comes without sslcert'
  const root = parameters.get('sslrootcert')
  if (root === 'system') {
    if (mode.written !== undefined && mode.written !== 'verify-full') return 'its sslrootcert=system needs sslmode=verify-full'
    return { mode: 'verify-full', ca: null, certificate, key }
  }
  // Prisma's sslcert is the authority's certificate; libpq's is the client's, and comes with a key
  const ca = root ?? (key === null ? parameters.get('sslcert') : undefined) ?? null
  if (parameters.get('sslaccept') === 'strict' && mode.read !== 'disable') return { mode: 'verify-full', ca, certificate, key }
  // so does libpq: who names the authority wants it looked at
  if (mode.read === 'require' && root !== undefined && mode.written !== 'no-verify') return { mode: 'verify-ca', ca, certificate, key }
  return { mode: mode.read, ca, certificate, key }
}

type ReadMode = { readonly read: Tls['mode']; readonly written: string | undefined }

function modeIn(parameters: Parameters): ReadMode | { readonly why: string } {
  const ssl = parameters.get('ssl')
  const written = parameters.get('sslmode')
  if (ssl !== undefined && !(ssl in SSL))
    return { why: 'its parameter ssl is neither true nor false; write sslmode=require or sslmode=disable' }
  const wanted = ssl === undefined ? undefined : SSL[ssl]
  if (written === undefined) return { read: wanted ?? 'prefer', written: wanted }
  if (written === 'allow')
    return { why: 'its sslmode=allow is known to libpq alone; write sslmode=prefer, which also connects without TLS where there is none' }
  const mode = (['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const).find((one) => one === written)
  const read = written === 'no-verify' ? 'require' : mode
  if (read === undefined) return { why: 'its sslmode is none of disable, prefer, require, verify-ca and verify-full' }
  if (wanted !== undefined && (wanted === 'disable') !== (read === 'disable'))
    return { why: 'its parameters ssl and sslmode contradict each other' }
  return { read, written }
}

/** As libpq and `pg` read them. */
const SSL: Readonly<Record<string, 'require' | 'disable'>> = { true: 'require', '1': 'require', false: 'disable', '0': 'disable' }

/** Names that `tlsForPrisma` writes anew. */
export const TLS_PARAMETERS: readonly string[] = ['ssl', 'sslmode', 'sslaccept', 'sslcert', 'sslkey', 'sslrootcert']

/**
 * Prisma's own engine knows of `sslmode` only disable, prefer and require, and verifies with `sslaccept`; through a driver adapter the URL
 * is read by `pg`, for which the last `sslmode` counts. Both get what they take for the same.
 */
export function tlsForPrisma(tls: Tls, parameters: Parameters): readonly (readonly [string, string])[] {
  const client =
    tls.certificate === null || tls.key === null
      ? []
      : ([
          ['sslcert', tls.certificate],
          ['sslkey', tls.key],
        ] as const)
  if (tls.mode === 'disable') return [['sslmode', 'disable']]
  if (tls.mode === 'prefer') return parameters.has('sslmode') ? [['sslmode', 'prefer'], ...client] : client
  if (tls.mode === 'require') {
    const last = parameters.get('sslmode') === 'no-verify' ? ([['sslmode', 'no-verify']] as const) : []
    return [['sslmode', 'require'], ...last, ...client]
  }
  const authority =
    tls.ca === null ? [] : ([...(client.length > 0 ? [] : [['sslcert', tls.ca] as const]), ['sslrootcert', tls.ca]] as const)
  return [['sslmode', 'require'], ['sslmode', tls.mode], ['sslaccept', 'strict'], ...authority, ...client]
}

/**
 * For a program that reads the URL with `pg` alone, which by `uselibpqcompat` takes `sslmode` for what libpq takes it for. It knows no
 * way back to a connection without TLS, so `prefer` stays without.
 */
export function tlsForNode(tls: Tls): readonly (readonly [string, string])[] {
  if (tls.mode === 'disable' || tls.mode === 'prefer') return [['sslmode', 'disable']]
  const files = [
    ['sslrootcert', tls.ca],
    ['sslcert', tls.certificate],
    ['sslkey', tls.key],
  ] as const
  // without a file it refuses verify-ca
  const mode = tls.mode === 'verify-ca' && tls.ca === null ? 'verify-full' : tls.mode
  return [['uselibpqcompat', 'true'], ['sslmode', mode], ...files.flatMap(([name, file]) => (file === null ? [] : [[name, file] as const]))]
}
