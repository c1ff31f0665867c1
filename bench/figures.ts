import type { Measurement } from './figure.ts'
import { runTime } from './figures/run-time.ts'
import { statusRatio } from './figures/status-ratio.ts'

/** In the order in which they are measured and printed. */
export const measurements: readonly Measurement[] = [statusRatio, runTime]
