/** Milliseconds since 1970; `to` does not belong to it. */
export type Span = { readonly from: number; readonly to: number }
