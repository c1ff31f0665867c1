/** What the app was given to prove itself. Made up for the playground: none of it opens anything. */
export type Tokens = { readonly bot: string; readonly app: string; readonly signingSecret: string }

export type Keys = Tokens & {
  readonly revoked: Set<string>
  /** Scopes can be taken away while the app runs. */
  scopes: readonly string[]
}

export const defaultTokens: Tokens = {
  bot: 'xoxb-0000000000-0000000000-playground',
  app: 'xapp-1-A0LOCKKEEP-0000000000-playground',
  signingSecret: 'playground-signing-secret',
}

export type Identity = { readonly kind: 'bot' | 'app' } | { readonly kind: 'refused'; readonly error: string }

export function identify(keys: Keys, token: string): Identity {
  if (token === '') return { kind: 'refused', error: 'not_authed' }
  if (keys.revoked.has(token)) return { kind: 'refused', error: 'token_revoked' }
  if (token === keys.bot) return { kind: 'bot' }
  if (token === keys.app) return { kind: 'app' }
  return { kind: 'refused', error: 'invalid_auth' }
}
