/** The URL of a schema's datasource, which until Prisma 6 stands there, as a rule as the name of a variable. */
export function urlIn(schema: string): string {
  const block = /^[ \t]*datasource\s+\w+\s*\{([^}]*)\}/m.exec(schema)?.[1] ?? ''
  const [, variable, literal] = /^\s*url\s*=\s*(?:env\(\s*"([^"]+)"\s*\)|"([^"]*)")/m.exec(block) ?? []
  const url = variable === undefined ? literal : process.env[variable]
  if (url === undefined) throw new Error(`Environment variable not found: ${variable ?? 'none'}.`)
  return url
}
