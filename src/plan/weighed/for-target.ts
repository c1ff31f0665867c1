import type { Target } from '../../config/config.ts'
import { reviewDefaults } from '../../config/keys/review.ts'
import type { Queryable } from '../../database/connect.ts'
import type { TargetUrl } from '../../database/urls.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Redactor } from '../../redact/redact.ts'
import type { SqlFile } from '../../sql/review.ts'
import { weighFiles, type WeighedFiles } from './weighed.ts'

/** A tool of its own decides how its files are sent, and not all of them need be SQL: null. */
export async function weighFor(
  client: Queryable,
  { redactor, clock }: { readonly redactor: Redactor; readonly clock: Clock },
  found: { readonly target: Target; readonly files: readonly SqlFile[]; readonly url: TargetUrl; readonly oneScript: boolean },
): Promise<WeighedFiles | null> {
  const { target, files, url, oneScript } = found
  if ('command' in target.tool) return null
  return weighFiles(client, files, {
    thresholds: target.review ?? reviewDefaults,
    schema: url.schema,
    host: url.host,
    redactor,
    today: new Date(clock.now()).toISOString().slice(0, 10),
    order: target.classes?.additive?.order ?? target.order,
    orderOfBreaking: target.classes?.breaking?.order ?? target.order,
    isOneTransaction: 'sql' in target.tool || oneScript,
  })
}
