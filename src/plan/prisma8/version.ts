import { versionsIn } from '../prisma/lock-files.ts'
import { boundsOf, version, type PrismaSources } from '../prisma/version.ts'
import { code } from '../../lib/text/code.ts'
import { listed, quoted } from '../../lib/text/quoted.ts'

/** The exact Prisma 8 that a commit settles on, or why that is not certain; `why` is mrkdwn. */
export function settledRunner({ application, asked, locks }: PrismaSources): string | { readonly why: string } {
  const [own] = asked
  const range = own?.range ?? ''
  const settled = [...new Set(locks.flatMap((lock) => versionsIn(lock, { application, asked: range })))]
  const versions = settled.length > 0 ? settled : EXACT.test(range) ? [range] : []
  const [only] = versions
  if (only === undefined)
    return {
      why: `${quoted(own?.path ?? 'package.json')} asks for prisma ${quoted(range)}, and no lock file says which version that is. Pin it (${code('npm install --save-dev --save-exact prisma@8')}), commit the lock file and ask again.`,
    }
  if (versions.length > 1)
    return {
      why: `The lock files settle prisma at ${listed(versions, 3)}, so which version would run depends on how it is installed. Remove the lock file that is not used, commit and ask again.`,
    }
  const { low, high } = boundsOf(only)
  if (low < version(8) || high >= version(9) || !KNOWN.test(only))
    return {
      why: `This commit brings Prisma ${quoted(only)}. Of Prisma 8 Lockkeeper runs release candidates and releases, and no other builds. Ask for a commit with one of them (\`--ref\`).`,
    }
  return only
}

const EXACT = /^\d+\.\d+\.\d+(?:-[\w.-]+)?$/

/** Development builds of 8.1 are still the command line of 7. */
const KNOWN = /^8\.\d+\.\d+(?:-rc\.\d+)?$/

/** What is said wherever something of it is shown, so that nobody takes it for more than it is. */
export const runnerName = (installed: string): string => `Prisma ${installed}${installed.includes('-rc.') ? ', a release candidate' : ''}`
