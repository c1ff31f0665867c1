/** What every child may see of the operator's environment. NODE_OPTIONS, LD_PRELOAD, PG* and the like never pass. */
const PASSED = [
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'SSH_AUTH_SOCK',
  'PM2_HOME',
  'SSL_CERT_FILE',
  'NODE_EXTRA_CA_CERTS',
  'HTTPS_PROXY',
  'HTTP_PROXY',
  'NO_PROXY',
]

const REFUSED = /^(NODE_OPTIONS|NODE_PATH|LD_.*|DYLD_.*|PG.*|BASH_ENV|ENV|PRISMA_SCHEMA_DISABLE_ADVISORY_LOCK|GIT_.*)$/

/** `extra` wins over the operator's environment, but cannot bring back a refused name unless `permit` names it. */
export function childEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  path: string,
  extra: Readonly<Record<string, string>> = {},
  permit: readonly string[] = [],
): Record<string, string> {
  const env: Record<string, string> = { PATH: path }
  for (const name of PASSED) if (own[name] !== undefined) env[name] = own[name]
  for (const [name, value] of Object.entries(extra)) if (!REFUSED.test(name) || permit.includes(name)) env[name] = value
  return env
}

/** The operator's PATH without our own `node_modules/.bin`, which npm puts in front of it. */
export const operatorPath = (path: string | undefined): string =>
  (path ?? '/usr/local/bin:/usr/bin:/bin')
    .split(':')
    .filter((part) => part !== '' && !part.includes('node_modules/.bin') && !part.includes('node-gyp-bin'))
    .join(':')
