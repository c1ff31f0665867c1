import type { Config } from '../../../src/config/config.ts'
import { reviewDefaults } from '../../../src/config/keys/review.ts'
import { parseTargetUrl } from '../../../src/database/urls.ts'
import { createRedactor, secretsOfUrl, type Redactor } from '../../../src/redact/redact.ts'
import type { ReviewCommand } from './command.ts'
import type { ReviewDeps } from './review.ts'

/** Which database is asked, and what must not be shown of it; a sentence when there is none of that name. `loaded`: for a target. */
export function askedBy(
  by: ReviewCommand['by'],
  loaded: { readonly config: Config; readonly redactor: Redactor } | null,
  env: Readonly<Record<string, string | undefined>>,
): Pick<ReviewDeps, 'asked' | 'defaults' | 'redactor'> | string {
  if (by.kind === 'assumption') return { asked: null, defaults: reviewDefaults, redactor: createRedactor([]) }
  if (by.kind === 'database') {
    const url = env[by.variable] ?? ''
    if (url === '') return `${by.variable} is not set. Put the URL of the database into it. Nothing was reviewed.`
    const parsed = parseTargetUrl(url)
    if (parsed.kind === 'bad') return `${by.variable} holds no URL of a database: ${parsed.why}. Nothing was reviewed.`
    return {
      asked: { url, thresholds: reviewDefaults, order: 'migrate-first' },
      defaults: reviewDefaults,
      redactor: createRedactor(secretsOfUrl(url)),
    }
  }
  const target = loaded?.config.targets.get(by.name)
  if (loaded === null || target === undefined) {
    const names = [...(loaded?.config.targets.keys() ?? [])].join(', ')
    return `There is no target ${by.name} in the configuration; it has ${names}. Nothing was reviewed.`
  }
  const url = loaded.config.secret(target.database.url)
  return {
    asked: { url, thresholds: target.review ?? reviewDefaults, order: target.order },
    defaults: reviewDefaults,
    redactor: loaded.redactor,
  }
}
