import type { RunContext } from '../../request/step.ts'
import type { Observer } from './observer.ts'
import type { Pace } from '../attempts/timing.ts'
import type { Workspace } from '../prisma/prisma-workspace.ts'

/** One run's migrator, as its parts pass it around. */
export type Work = { readonly context: RunContext; readonly workspace: Workspace; readonly observer: Observer; readonly pace: Pace }

/** Why this product stopped the migrator. */
export type Stopped = 'cancel' | 'too_long'
