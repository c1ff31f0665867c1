import { escapeMarkup } from '../../lib/text/escape.ts'
import type { ProbeSettings } from '../../config/schema.ts'
import { warn, type Finding } from './finding.ts'

/** One look at one probe, without waiting for it to become well (`probeOnce`). `said` is what was seen: `HTTP 503 instead of 200`. */
export type Probe = (
  probe: ProbeSettings,
  options: { readonly signal: AbortSignal },
) => Promise<{ readonly ok: boolean; readonly said: string }>

/** B12: a failure afterwards means something only if it was well before. It does not stop the run: the change may be the cure. */
export async function healthFindings(probes: readonly ProbeSettings[], probe: Probe, signal: AbortSignal): Promise<readonly Finding[]> {
  const probed = await Promise.all(probes.map(async (settings) => ({ settings, ...(await probe(settings, { signal })) })))
  return probed
    .filter(({ ok }) => !ok)
    .map(({ settings, said }) =>
      warn('unhealthy_before', `The application is not well before the change: ${escapeMarkup(settings.http)} gave ${escapeMarkup(said)}.`),
    )
}
