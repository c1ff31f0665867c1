import { connectionDiagnoses } from './diagnoses/connection.ts'
import { lockDiagnoses } from './diagnoses/locks.ts'
import { objectDiagnoses } from './diagnoses/objects.ts'
import { recordDiagnoses } from './diagnoses/record.ts'
import { rightsDiagnoses } from './diagnoses/rights.ts'
import { serverDiagnoses } from './diagnoses/server.ts'
import { unknownDiagnosis } from './diagnoses/unknown.ts'
import { readFault } from './diagnoses/fault.ts'
import type { Diagnosis, DiagnosisContext, Entry } from './diagnoses/entry.ts'

export type { Diagnosis, DiagnosisContext } from './diagnoses/entry.ts'

/**
 * What an error of the migrator means and what to do next. Reads both engines' texts (WebAssembly writes `[SQLSTATE 42P07]`, the
 * native one `Database error code: 42P07`); `sqlState` wins over what the output says. Never throws: what it does not know it says.
 */
export function diagnose(input: { readonly output: string; readonly sqlState?: string; readonly context: DiagnosisContext }): Diagnosis {
  const fault = readFault(input.output, input.sqlState)
  const entry = catalogue.find((candidate) => candidate.matches(fault)) ?? unknownDiagnosis
  return { code: entry.code, ...entry.explain(fault, input.context), excerpt: excerptOf(fault, input.output) }
}

/** The order matters: what the record says about an earlier run comes before what a statement said. */
const catalogue: readonly Entry[] = [
  ...recordDiagnoses,
  ...lockDiagnoses,
  ...objectDiagnoses,
  ...rightsDiagnoses,
  ...connectionDiagnoses,
  ...serverDiagnoses,
]

/** A few lines as the tools wrote them, for the preformatted block: the database's message first. */
function excerptOf(fault: ReturnType<typeof readFault>, output: string): string {
  if (fault.message !== null) return `ERROR: ${fault.message}${fault.sqlState === null ? '' : ` (${fault.sqlState})`}`
  return output.trim().split('\n').slice(-5).join('\n').slice(-1_000)
}
