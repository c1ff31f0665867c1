import { createServer } from 'node:http'
import { until } from '../helpers/until.ts'

/** A span as it arrived, with what tests look at. */
export type Arrived = {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly attributes: Readonly<Record<string, string | number>>
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly startMs: number
  readonly endMs: number
  /** 2 is an error. */
  readonly status: number
  readonly resource: Readonly<Record<string, string | number>>
}

export type Collector = {
  readonly url: string
  readonly spans: () => readonly Arrived[]
  /** Everything that came, as it was written. */
  readonly raw: () => string
  readonly close: () => Promise<void>
}

/** A collector of OpenTelemetry's on loopback: it takes OTLP over HTTP, in JSON. */
export async function startCollector(): Promise<Collector> {
  const spans: Arrived[] = []
  const bodies: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8')
      bodies.push(body)
      if (request.url !== '/v1/traces' || request.headers['content-type'] !== 'application/json') return void response.writeHead(415).end()
      spans.push(...decode(JSON.parse(body) as Wire))
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    spans: () => spans,
    raw: () => bodies.join('\n'),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}

export const spanNamed = (collector: Collector, name: string, among: (span: Arrived) => boolean = () => true): Promise<Arrived> =>
  until(`the span "${name}" arrives`, () => collector.spans().find((span) => span.name === name && among(span)))

type Value = { readonly stringValue?: string; readonly intValue?: number | string; readonly doubleValue?: number }
type Attribute = { readonly key: string; readonly value: Value }
type Wire = {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] }
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly name: string
        readonly traceId: string
        readonly spanId: string
        readonly parentSpanId?: string
        readonly startTimeUnixNano: string
        readonly endTimeUnixNano: string
        readonly attributes: readonly Attribute[]
        readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
        readonly status: { readonly code?: number }
      }[]
    }[]
  }[]
}

const decode = ({ resourceSpans }: Wire): Arrived[] =>
  resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        name: span.name,
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        attributes: valuesOf(span.attributes),
        links: (span.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
        startMs: Number(BigInt(span.startTimeUnixNano) / 1_000_000n),
        endMs: Number(BigInt(span.endTimeUnixNano) / 1_000_000n),
        status: span.status.code ?? 0,
        resource: valuesOf(resource.attributes),
      })),
    ),
  )

const valuesOf = (attributes: readonly Attribute[]) =>
  Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? (value.intValue === undefined ? (value.doubleValue ?? 0) : Number(value.intValue)),
    ]),
  )
