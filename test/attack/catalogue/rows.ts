import { deliveryRows } from './deliveries.ts'
import { enforcementRows } from './enforcement.ts'
import { inputRows } from './input.ts'
import { peopleRows } from './people.ts'
import { keyOf, LISTED, type AuditSeen, type Row } from './row.ts'
import { sentences } from './sentences.ts'
import { transportRows } from './transport.ts'

export type Expected = Omit<Row, 'audit'> & { readonly audit: AuditSeen | null }

/** Every row of the catalogue, with what is to be seen. The tests and `docs/attacks.md` are both made of it. */
export const rows: readonly Expected[] = [...transportRows, ...deliveryRows, ...peopleRows, ...enforcementRows, ...inputRows].map((row) => {
  const listed = sentences[keyOf(row)]
  if (listed === undefined && (row.told === LISTED || row.audit === LISTED)) throw new Error(`sentences.ts lacks "${keyOf(row)}"`)
  return {
    ...row,
    told: row.told === LISTED ? (listed?.[0] ?? '') : row.told,
    audit: row.audit === LISTED ? (listed?.[1] ?? null) : row.audit,
  }
})
