/** The safe way: each file is a migration of its own, in this order. */
export type Advice = {
  readonly text: string
  readonly files: readonly { readonly name: string; readonly sql: string }[]
}
