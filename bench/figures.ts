import type { Measurement } from './figure.ts'
import { runTime } from './figures/run-time.ts'
import { statusRatios } from './figures/status-ratio.ts'
import { audit } from './figures/audit.ts'
import { runRatio } from './figures/run-ratio.ts'
import { ack } from './figures/ack.ts'
import { flood } from './figures/flood.ts'
import { guard } from './figures/guard.ts'
import { idle } from './figures/idle.ts'
import { notices } from './figures/notices.ts'
import { output } from './figures/output.ts'
import { review } from './figures/review.ts'
import { takeover } from './figures/takeover.ts'

/** In the order in which they are measured and printed. */
export const measurements: readonly Measurement[] = [
  ...statusRatios,
  runRatio,
  runTime,
  ack,
  takeover,
  idle,
  output,
  audit,
  guard,
  flood,
  notices,
  review,
]
