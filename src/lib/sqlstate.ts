/** The SQLSTATEs that the house reacts to, by PostgreSQL's own names (appendix A of its manual). */
export const sqlState = {
  activeSqlTransaction: '25001',
  readOnlySqlTransaction: '25006',
  invalidAuthorization: '28000',
  invalidPassword: '28P01',
  dependentObjectsStillExist: '2BP01',
  invalidCatalogName: '3D000',
  invalidSchemaName: '3F000',
  notNullViolation: '23502',
  foreignKeyViolation: '23503',
  uniqueViolation: '23505',
  checkViolation: '23514',
  serializationFailure: '40001',
  deadlockDetected: '40P01',
  insufficientPrivilege: '42501',
  syntaxError: '42601',
  duplicateColumn: '42701',
  undefinedColumn: '42703',
  undefinedObject: '42704',
  duplicateObject: '42710',
  duplicateFunction: '42723',
  undefinedFunction: '42883',
  undefinedTable: '42P01',
  duplicateSchema: '42P06',
  duplicateTable: '42P07',
  diskFull: '53100',
  outOfMemory: '53200',
  tooManyConnections: '53300',
  programLimitExceeded: '54000',
  lockNotAvailable: '55P03',
  unsafeNewEnumValueUsage: '55P04',
  queryCanceled: '57014',
  adminShutdown: '57P01',
  crashShutdown: '57P02',
  cannotConnectNow: '57P03',
} as const

/** Of whatever was thrown: node-postgres, and Prisma's engines where they tell, put it into `code`. */
export const hasSqlState = (error: unknown, state: string): boolean =>
  typeof error === 'object' && error !== null && (error as { code?: unknown }).code === state

/** The name of the constraint that was violated. */
export const constraintOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null ? (error as { constraint?: string }).constraint : undefined
