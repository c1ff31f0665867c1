import { code } from '../../lib/text/code.ts'
import { escapeMarkup } from '../../lib/text/escape.ts'
import { configurationDiagnoses } from './configuration.ts'
import { connectionDiagnoses } from './connection.ts'
import { definitionDiagnoses } from './definitions.ts'
import { adds, ownWords, subject, type Diagnosis, type DiagnosisContext, type Entry } from './entry.ts'
import { readFault, withoutValues, type Fault } from './fault.ts'
import { lockDiagnoses } from './locks.ts'
import { objectDiagnoses } from './objects.ts'
import { placeOf, placeText, type Place } from './place.ts'
import { recordDiagnoses } from './record.ts'
import { rightsDiagnoses } from './rights.ts'
import { serverDiagnoses } from './server.ts'
import { situationDiagnoses } from './situations.ts'
import { valueDiagnoses } from './values.ts'

export type { Diagnosis, DiagnosisContext } from './entry.ts'

/**
 * What an error of the migrator means and what to do next. Reads both engines' texts (WebAssembly writes `[SQLSTATE 42P07]`, the
 * native one `Database error code: 42P07`); `sqlState` wins over what the output says. Never throws: what it does not know it says.
 */
export function diagnose(input: { readonly output: string; readonly sqlState?: string; readonly context: DiagnosisContext }): Diagnosis {
  const { context, output } = input
  const fault = readFault(output, input.sqlState)
  const name = fault.migration ?? context.migration
  const sql = name === null ? null : (context.sqlOf?.(name) ?? null)
  const place = sql === null ? null : placeOf(fault, sql)
  const entry = catalogue.find((candidate) => candidate.matches(fault, context))
  const explained = entry === undefined ? unknown(fault, context, place) : entry.explain(fault, context)
  return {
    code: entry?.code ?? 'unknown',
    ...explained,
    excerpt: excerptOf(fault, place, name === null ? undefined : context.fileOf?.(name)),
  }
}

/** The order matters: what the record says about an earlier run comes before what a statement said, and a message before its code. */
const catalogue: readonly Entry[] = [
  ...configurationDiagnoses,
  ...recordDiagnoses,
  ...situationDiagnoses,
  ...lockDiagnoses,
  ...definitionDiagnoses,
  ...valueDiagnoses,
  ...objectDiagnoses,
  ...rightsDiagnoses,
  ...connectionDiagnoses,
  ...serverDiagnoses,
]

/** What the database says comes first, in its own words. */
function unknown(fault: Fault, context: DiagnosisContext, place: Place | null): ReturnType<Entry['explain']> {
  const next = 'Read that, see what is applied and what is not, correct the cause and ask again.'
  if (fault.message === null)
    return {
      headline: `${subject(context, fault)} failed${fault.prismaCode === null ? '' : ` with Prisma's ${code(fault.prismaCode)}`}, and this product does not know that error.`,
      why: 'The lines below are what the migrator said; the whole log is in the thread.',
      next,
    }
  const where =
    place === null
      ? ''
      : ` It is ${place.how === 'names' ? 'about' : 'at'} line ${place.line} of the file: ${code(place.text.slice(0, 160))}.`
  return {
    headline: `${subject(context, fault)} stopped. PostgreSQL says: ${ownWords(fault)}${fault.sqlState === null ? '' : ` (${escapeMarkup(fault.sqlState)})`}.`,
    why: `${fault.isForeign ? 'The server says it in its own language (`lc_messages`), of which this product knows the codes alone.' : 'This product has no words of its own for that.'}${adds(fault.detail)}${fault.hint === null ? '' : ` Its hint: ${adds(fault.hint).replace(' PostgreSQL adds: ', '')}`}${where}`,
    next,
  }
}

/** A few lines as the tools wrote them, for the preformatted block: the database's message first, with what it adds and where it is. */
function excerptOf(fault: Fault, place: Place | null, file: string | undefined): string {
  const { message, sqlState, detail, hint, output } = fault
  if (message === null) return toldIn(output)
  return [
    `ERROR: ${withoutValues(message)}${sqlState === null ? '' : ` (${sqlState})`}`,
    detail === null ? [] : `DETAIL: ${withoutValues(detail)}`,
    hint === null ? [] : `HINT: ${hint}`,
    place === null ? [] : placeText(place, file),
  ]
    .flat()
    .join('\n')
    .slice(0, 1_500)
}

/** From where Prisma says that something is wrong; its end when it does not say so. */
function toldIn(output: string): string {
  const lines = output.trim().split('\n')
  const from = lines.findIndex((line) => /^Error\b/.test(line))
  return (
    from === -1
      ? lines.slice(-5)
      : lines
          .slice(from)
          .filter((line) => !/^\s+(\d+: |at |with )/.test(line))
          .slice(0, 8)
  )
    .join('\n')
    .trim()
    .slice(0, 1_000)
}
