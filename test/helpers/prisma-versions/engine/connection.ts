import type pg from 'pg'

/** The URL as the native engine reads it: the session's search path is the schema. */
export function connectionOf(text: string): pg.PoolConfig {
  const url = new URL(text)
  const part = (name: string) => url.searchParams.get(name) ?? undefined
  const options = [part('options') ?? [], schemaOf(text) === 'public' ? [] : `-c search_path=${schemaOf(text)}`].flat().join(' ')
  return {
    host: part('host') ?? url.hostname,
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
    ...(options === '' ? {} : { options }),
    application_name: part('application_name') ?? 'prisma',
    max: 1,
    idleTimeoutMillis: 0,
    allowExitOnIdle: true,
  }
}

export const schemaOf = (url: string): string => new URL(url).searchParams.get('schema') ?? 'public'
