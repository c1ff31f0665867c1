import type { Commands } from '../src/config/commands.ts'
import type { Target } from '../src/config/config.ts'
import type { Db } from '../src/store/pool.ts'
import type { Engine } from '../src/engine/engine.ts'
import type { Freeze } from '../src/calendar/opening-hours.ts'
import type { People } from './people.ts'

export type ApprovalDeps = {
  readonly db: Db
  readonly targets: ReadonlyMap<string, Target>
  readonly people: People
  /** Those of the configuration; what people set is in rows. */
  readonly freezes: readonly Freeze[]
  readonly engine: Engine
  /** The slash command as it is named in this workspace, for sentences: `/migrate`. */
  readonly command: string
  readonly commands: Commands
}
