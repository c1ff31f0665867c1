/** One thing wrong with the configuration: where, what, and how to mend it. */
export type ConfigProblem = { readonly path: string; readonly problem: string; readonly fix: string }
