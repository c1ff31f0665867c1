import { createHash } from 'node:crypto'
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags, type Attributes, type Context, type Span } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources'
import { AlwaysOnSampler, BatchSpanProcessor, RandomIdGenerator, TracerProvider, type IdGenerator } from '@opentelemetry/sdk-trace'
import { observe, type Doing, type Fact, type Fields } from '../lib/telemetry.ts'

export type Traces = { readonly close: () => Promise<void> }

/** A collector that is away must not hold up the end of the process. */
const FLUSH_MS = 3_000

/**
 * One trace a request. Its id and those of its lasting spans come from the store and the request's number, so that whoever takes a run
 * over goes on in the same trace. Nothing but names, numbers and outcomes is sent.
 */
export function startTraces(options: {
  /** Where spans are posted, as OTLP over HTTP with JSON. */
  readonly url: string
  readonly version: string
  /** This process among those that share the store. */
  readonly instance: string
  /** Tells this store from every other one. */
  readonly store: string
  readonly onFault: (error: Error) => void
}): Traces {
  const ids = createIds()
  const provider = new TracerProvider({
    idGenerator: ids.generator,
    sampler: new AlwaysOnSampler(),
    resource: defaultResource().merge(
      resourceFromAttributes({
        'service.name': process.env['OTEL_SERVICE_NAME'] ?? 'lockkeeper',
        'service.version': options.version,
        'service.instance.id': options.instance,
      }),
    ),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: options.url }), scheduledDelayMillis: 1_000 })],
  })
  const tracer = provider.getTracer('lockkeeper', options.version)
  const spans = new WeakMap<Doing, Span>()
  const idOf = (length: number, ...parts: readonly (string | number)[]) =>
    createHash('sha256')
      .update([options.store, ...parts].join('\n'))
      .digest('hex')
      .slice(0, length)
  const traceIdOf = (request: number) => idOf(32, 'request', request)
  const rootIdOf = (request: number) => idOf(16, 'request', request)
  const stepIdOf = (request: number, step: string, attempt: number) => idOf(16, 'step', request, step, attempt)
  const spanContext = (request: number, spanId: string) => ({ traceId: traceIdOf(request), spanId, traceFlags: TraceFlags.SAMPLED })
  const inRequest = (request: number): Context => trace.setSpanContext(ROOT_CONTEXT, spanContext(request, rootIdOf(request)))

  /** The nearest span around it, or the request's own; nothing that belongs to no request is traced. */
  function parentOf(doing: Doing): Context | undefined {
    const around = doing.within === undefined ? undefined : spans.get(doing.within)
    if (around !== undefined) return trace.setSpan(ROOT_CONTEXT, around)
    return requestIn(doing.fields) === undefined ? undefined : inRequest(requestIn(doing.fields) ?? 0)
  }

  function begun(doing: Doing): (result: string) => void {
    const { activity } = doing
    const parent = parentOf(doing)
    if (parent === undefined) return () => {}
    const own = activity.kind === 'step' ? stepIdOf(activity.request, activity.step, activity.attempt) : undefined
    const earlier =
      activity.kind === 'step' && activity.attempt > 1 ? stepIdOf(activity.request, activity.step, activity.attempt - 1) : undefined
    const span = ids.with({ span: own }, () =>
      tracer.startSpan(
        nameOf(doing),
        {
          kind: activity.kind === 'slack' ? SpanKind.CLIENT : SpanKind.INTERNAL,
          attributes: attributesOf(doing),
          // the try that a dead process began may never have been sent; its id is known all the same
          ...(earlier === undefined || activity.kind !== 'step' ? {} : { links: [{ context: spanContext(activity.request, earlier) }] }),
        },
        parent,
      ),
    )
    spans.set(doing, span)
    return (result) => finish(span, result)
  }

  function happened(fact: Fact): void {
    if (fact.kind === 'run started') {
      const { request, target, askedAt, grantedAt } = fact
      const attributes = { 'lockkeeper.request': request, 'lockkeeper.target': target }
      const span = ids.with({ span: idOf(16, 'approval', request, askedAt.getTime()) }, () =>
        tracer.startSpan('wait for approval', { startTime: askedAt, attributes }, inRequest(request)),
      )
      return finish(span, 'ok', grantedAt)
    }
    if (fact.kind !== 'request ended') return
    const { request, target, state, createdAt, endedAt } = fact
    const span = ids.with({ trace: traceIdOf(request), span: rootIdOf(request) }, () =>
      tracer.startSpan(
        `request ${target}`,
        { root: true, startTime: createdAt, attributes: { 'lockkeeper.request': request, 'lockkeeper.target': target } },
        ROOT_CONTEXT,
      ),
    )
    finish(span, state, endedAt)
  }

  const unobserve = observe({ begun, happened }, options.onFault)
  return {
    async close() {
      unobserve()
      await provider.forceFlush({ timeoutMillis: FLUSH_MS }).catch(options.onFault)
      await provider.shutdown().catch(options.onFault)
    },
  }
}

const GOOD = new Set(['ok', 'done', 'waiting', 'go', 'anew', 'succeeded', 'exited'])
/** Somebody decided so, or whoever asked decides what it means; nothing is wrong yet. */
const DECIDED = new Set(['nonzero', 'cancelled', 'rejected', 'expired', 'ended', 'lost', 'aborted', 'limited'])

function finish(span: Span, result: string, at?: Date): void {
  span.setAttribute('lockkeeper.outcome', result)
  if (!GOOD.has(result) && !DECIDED.has(result)) span.setStatus({ code: SpanStatusCode.ERROR, message: result })
  span.end(at)
}

const requestIn = (fields: Fields): number | undefined => (typeof fields['request'] === 'number' ? fields['request'] : undefined)

function nameOf({ activity }: Doing): string {
  switch (activity.kind) {
    case 'phase':
      return activity.phase === 'plan' ? 'plan' : 'check before the run'
    case 'step':
      return `step ${activity.step}`
    case 'slack':
      return activity.method
    case 'child':
      return activity.program
  }
}

function attributesOf({ activity, fields }: Doing): Attributes {
  const about: Attributes = {
    ...(fields['request'] === undefined ? {} : { 'lockkeeper.request': fields['request'] }),
    ...(fields['target'] === undefined ? {} : { 'lockkeeper.target': fields['target'] }),
    ...(fields['step'] === undefined ? {} : { 'lockkeeper.step': fields['step'] }),
  }
  switch (activity.kind) {
    case 'step':
      return { ...about, 'lockkeeper.attempt': activity.attempt }
    case 'child':
      return { ...about, 'process.executable.name': activity.program }
    case 'slack':
      return { ...about, 'rpc.system': 'slack', 'rpc.method': activity.method }
    case 'phase':
      return about
  }
}

/** Random ids, but for the span that is started inside `with`. */
function createIds() {
  const random = new RandomIdGenerator()
  let given: { readonly trace?: string; readonly span?: string | undefined } = {}
  const generator: IdGenerator = {
    generateTraceId: () => given.trace ?? random.generateTraceId(),
    generateSpanId: () => given.span ?? random.generateSpanId(),
  }
  return {
    generator,
    with<T>(own: typeof given, start: () => T): T {
      given = own
      try {
        return start()
      } finally {
        given = {}
      }
    },
  }
}
