import type { Address } from './http.ts'

type Environment = Readonly<Record<string, string | undefined>>

type Settings = { readonly port?: number | undefined; readonly host: string; readonly traces?: string | undefined }

/**
 * Where `/livez`, `/readyz` and `/metrics`, or the calendar, are served: the environment wins, so that two processes may share a file.
 * Undefined: nowhere.
 */
export function addressOf(
  settings: Pick<Settings, 'port' | 'host'>,
  env: Environment,
  name: 'OPERATION' | 'CALENDAR' = 'OPERATION',
): Address | { readonly problem: string } | undefined {
  const given = env[`${name}_PORT`] ?? ''
  const written = env[`${name}_HOST`] ?? ''
  const host = written === '' ? settings.host : written
  if (given === '') return settings.port === undefined ? undefined : { host, port: settings.port }
  if (given === 'off') return undefined
  const port = Number(given)
  if (/^\d{1,5}$/.test(given) && port <= 65_535) return { host, port }
  return { problem: `${name}_PORT is "${given}". It has to be a port (0 for any free one), or off.` }
}

/** Where spans are posted, by OpenTelemetry's own variables or the file. Undefined: nothing is traced. */
export function tracesUrlOf(settings: Settings, env: Environment): string | undefined {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none') return undefined
  const exact = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? ''
  if (exact !== '') return exact
  const base = (env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '') === '' ? settings.traces : env['OTEL_EXPORTER_OTLP_ENDPOINT']
  return base === undefined ? undefined : `${base.replace(/\/+$/, '')}/v1/traces`
}
