import type { Forecast } from '../../sql/rules/forecast.ts'
import { secondOpinion } from '../../sql/opinion/second-opinion.ts'
import { seesMore } from '../../sql/opinion/sees-more.ts'
import type { Finding } from '../../sql/weigh/finding.ts'

type File = { readonly name: string; readonly content: Buffer; readonly forecasts: readonly Forecast[] }

/** What squawk sees beside these findings. Where it cannot be asked the plan goes on without it, and says so. */
export async function otherFindings(
  files: readonly File[],
  findings: readonly Finding[],
  { version, program }: { readonly version: number; readonly program?: string | null },
): Promise<readonly Finding[]> {
  const opinion = await secondOpinion(
    files.map(({ name, content }) => ({ name, text: content.toString('utf8') })),
    { serverVersion: String(Math.floor(version / 10_000)), ...(program === undefined ? {} : { program }) },
  )
  if (opinion.kind === 'given') return seesMore(opinion.remarks, findings, new Map(files.map((file) => [file.name, statementsOf(file)])))
  const text = `the second opinion is missing: ${opinion.why}`
  return [{ code: 'not-seen', weight: 'note', migration: files[0]?.name ?? '', line: null, table: null, text, advice: null, waived: null }]
}

const statementsOf = ({ forecasts }: File) =>
  forecasts.map(({ line, parts, unknown }) => ({
    line,
    isOfNew: parts.length > 0 && parts.every(({ isNew }) => isNew),
    isKnown: unknown === null,
  }))
