import type { RunContext } from '../../request/step.ts'
import type { Observer } from '../../guard/observer.ts'
import type { Timing } from '../attempts/timing.ts'
import type { Workspace } from '../prisma/prisma-workspace.ts'

/** One run's migrator, as its parts pass it around. */
export type Work = { readonly context: RunContext; readonly workspace: Workspace; readonly observer: Observer; readonly timing: Timing }

/** Why this product stopped the migrator. */
export type Stopped = 'cancel' | 'too_long'
