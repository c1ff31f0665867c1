import type { RunContext } from '../step.ts'
import type { Observer } from './observer.ts'
import type { Pace } from './pace.ts'
import type { Site } from './site.ts'

/** One run's migrator, as its parts pass it around. */
export type Work = { readonly context: RunContext; readonly site: Site; readonly observer: Observer; readonly pace: Pace }

/** Why this product stopped the migrator. */
export type Stopped = 'cancel' | 'too_long'
