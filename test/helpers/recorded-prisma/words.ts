import type { Situation } from './situation.ts'

export const out = (text: string): boolean => process.stdout.write(text)
export const err = (text: string): boolean => process.stderr.write(text)

/** What each command says before it does anything. */
export function begin({ schemaPath, datasource, url, schema, version }: Situation): void {
  for (const [stream, text] of version.loaded(schemaPath)) (stream === 'out' ? out : err)(text)
  const database = decodeURIComponent(url.pathname.slice(1))
  if (version.engine === 'program') {
    out(`Datasource "${datasource}": PostgreSQL database "${database}", schema "${schema}" at "${url.hostname}:${url.port || '5432'}"\n`)
    return
  }
  out(`Datasource "${datasource}": PostgreSQL database "${database}", schema "${schema}" using driver adapter "@prisma/adapter-pg"\n`)
  out(
    `\nWARNING: Your schema specifies the following datasource properties but you are using a Driver Adapter via prisma.config.ts:\n- url\n\nThe values from your schema will NOT be used!\n\nWe recommend you to remove those properties from your schema to avoid confusion if you are only using driver adapters.\n`,
  )
}

export const found = (count: number): string =>
  count === 0 ? 'No migration found in prisma/migrations\n' : `${count} migration${plural(count)} found in prisma/migrations\n`

export const plural = (count: number): string => (count > 1 ? 's' : '')
