import { inject } from 'vitest'

let chosen: string | undefined

/** The maintenance database of the PostgreSQL that tests share; the bench, which runs without the test runner, chooses its own. */
export const serverUrl = (): string => chosen ?? inject('postgresUrl')

export function chooseServer(url: string): void {
  chosen = url
}
