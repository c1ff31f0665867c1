import { plainText } from '../../lib/text/quoted.ts'
import type { Redactor } from '../../redact/redact.ts'

/** A statement of somebody else on one line: shortened, without known secrets and without the texts in it, which may be people's data. */
export const shownQuery = (query: string, redactor: Redactor): string =>
  plainText(redactor.text(query).replace(/'(?:[^']|'')*'?/g, "'…'"), 160)
