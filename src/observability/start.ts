import { storeId } from '../audit/health.ts'
import type { Clock } from '../lib/clock.ts'
import type { Db } from '../store/pool.ts'
import type { Log } from '../lib/log.ts'
import { StartFault } from '../lib/start-fault.ts'
import { addressOf, tracesUrlOf } from './address.ts'
import { keepActivityLog } from './activity-log.ts'
import { serve, type Address } from './http.ts'
import type { Sources } from './metrics.ts'
import { createReadiness, type Readiness } from './readiness.ts'

export type Operation = {
  readonly readiness: Readiness
  /** Where it listens; null when it does not. */
  readonly address: Address | null
  /** What a scrape asks; told as the parts come up. */
  readonly watch: (sources: Sources) => void
  /** Begins to trace, where an endpoint is configured; gives what ends it. */
  readonly trace: (db: Db, instance: string) => Promise<() => Promise<void>>
  readonly close: () => Promise<void>
}

/**
 * What tells others how this process is. It is started before everything else, so that a process that waits for Slack can say so, and
 * ends last. The libraries are loaded only where somebody wants their answers: they cost memory.
 */
export async function startOperation(options: {
  readonly settings: Parameters<typeof addressOf>[0]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly version: string
  readonly log: Log
  readonly clock: Clock
}): Promise<Operation> {
  const { settings, env, log, version } = options
  const readiness = createReadiness(options.clock)
  const onFault = (error: Error) => log.warn({ error: error.message }, 'a figure or a trace could not be told; everything else goes on')
  let sources: Sources = {}
  const served = await serveAt(addressOf(settings, env), readiness, { version, log, onFault, sources: () => sources })
  const endActivityLog = keepActivityLog(log, onFault)
  return {
    readiness,
    address: served?.address ?? null,
    watch: (more) => void (sources = { ...sources, ...more }),
    async trace(db, instance) {
      const url = tracesUrlOf(settings, env)
      if (url === undefined) return async () => {}
      if (!URL.canParse(url))
        throw new StartFault(
          'configuration',
          `Traces cannot be sent to "${url}": that is no address. Correct OTEL_EXPORTER_OTLP_ENDPOINT or operation.traces.`,
        )
      const { startTraces } = await import('./traces.ts')
      return startTraces({ url, version, instance, store: await storeId(db), onFault }).close
    },
    async close() {
      endActivityLog()
      await served?.close()
    },
  }
}

type Serving = { readonly version: string; readonly log: Log; readonly onFault: (error: Error) => void; readonly sources: () => Sources }

async function serveAt(address: ReturnType<typeof addressOf>, readiness: Readiness, { log, ...serving }: Serving) {
  if (address === undefined) return undefined
  if ('problem' in address) throw new StartFault('configuration', address.problem)
  const { createMetrics } = await import('./metrics.ts')
  const metrics = createMetrics(serving)
  const served = await serve(address, { readiness: readiness.report, metrics: metrics.scrape, onFault: serving.onFault }).catch(
    (error: unknown) => {
      metrics.close()
      throw whyNotServing(error, address, { what: '/livez, /readyz and /metrics', key: 'operation.port', variable: 'OPERATION_PORT' })
    },
  )
  log.info({ ...served.address }, '/livez, /readyz and /metrics are served')
  return {
    address: served.address,
    async close() {
      await served.close()
      metrics.close()
    },
  }
}

export function whyNotServing(
  error: unknown,
  { host, port }: Address,
  { what, key, variable }: { readonly what: string; readonly key: string; readonly variable: string },
): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const why = {
    EADDRINUSE: 'another program listens there, perhaps another Lockkeeper',
    EACCES: 'this user may not',
    EADDRNOTAVAIL: 'this machine has no such address',
  }[code]
  if (why === undefined) return error
  return new StartFault(
    'configuration',
    `Port ${port} on ${host} cannot be used for ${what}: ${why}. Set another as ${key} in lockkeeper.yaml, or for this process alone as ${variable} (0: any free one, off: none).`,
    error,
  )
}
