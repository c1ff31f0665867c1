import { connectionDiagnoses } from './connection.ts'
import { lockDiagnoses } from './locks.ts'
import { objectDiagnoses } from './objects.ts'
import { recordDiagnoses } from './record.ts'
import { rightsDiagnoses } from './rights.ts'
import { serverDiagnoses } from './server.ts'
import { unknownDiagnosis } from './unknown.ts'
import { readFault } from './fault.ts'
import type { Diagnosis, DiagnosisContext, Entry } from './entry.ts'

export type { Diagnosis, DiagnosisContext } from './entry.ts'

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
