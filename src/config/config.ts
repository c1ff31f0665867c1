import type { ConfigFile, TargetSettings } from './schema.ts'

/** What the rest of the house works with: the file, its place, and a way to read the secrets it refers to. */
export type Config = {
  readonly file: ConfigFile
  /** The directory of the configuration file; relative paths in it start here. */
  readonly home: string
  /** Working files: bare clones, checkouts, spools, the embedded PostgreSQL. */
  readonly varDirectory: string
  readonly targets: ReadonlyMap<string, Target>
  /** Reads a reference (`env:NAME`, `file:/path`); throws a ConfigFault when nothing is there. */
  readonly secret: (reference: string) => string
}

/** A target's settings with its name. */
export type Target = TargetSettings & { readonly name: string; readonly title: string }
