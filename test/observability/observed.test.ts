import parsePrometheus from 'parse-prometheus-text-format'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startFlow, type Flow } from '../helpers/flow.ts'
import { until } from '../helpers/until.ts'
import { spanNamed, startCollector, type Collector } from './collector.ts'

let flow: Flow
let collector: Collector
let base: string
let id: number

beforeAll(async () => {
  collector = await startCollector()
  flow = await startFlow({ env: () => ({ OPERATION_PORT: '0', OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }) })
  base = addressIn(flow.log())
  const request = await flow.ask()
  id = request.id
  await flow.approve(id, 'U0ALICE')
  await flow.approve(id)
  await flow.reaches(id, 'succeeded')
  await flow.drawn(id)
})

afterAll(async () => {
  await flow.close()
  await collector.close()
})

/** The port stands in the log, since the system chose it. */
function addressIn(log: string): string {
  const served = lines(log).find((line) => String(line['msg']).startsWith('/livez'))
  return `http://${String(served?.['host'])}:${String(served?.['port'])}`
}

const lines = (log: string) =>
  log
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)

async function scrape(): Promise<string> {
  const response = await fetch(`${base}/metrics`)
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  return response.text()
}

/** The value behind exactly this name with exactly these labels. */
function valueOf(text: string, sample: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${sample} `))
  return line === undefined ? undefined : Number(line.slice(sample.length + 1))
}

describe('a run, seen from outside', () => {
  test('/livez and /readyz answer, with each part in words', async () => {
    const live = await fetch(`${base}/livez`)
    expect([live.status, await live.text()]).toEqual([200, 'alive\n'])
    const ready = await fetch(`${base}/readyz`)
    expect(ready.status).toBe(200)
    expect(await ready.json()).toEqual({
      ready: true,
      reason: null,
      parts: [
        { name: 'process', ok: true, text: 'The process is up.' },
        { name: 'store', ok: true, text: 'The store answers.' },
        { name: 'audit', ok: true, text: 'The audit log is whole.' },
        { name: 'liveness', ok: true, text: 'The lock that proves this process alive is held.' },
        { name: 'slack', ok: true, text: 'Slack is connected (2 connections).' },
      ],
    })
  })

  test('/metrics parses, and counts what happened', async () => {
    const text = await scrape()
    const families = parsePrometheus(text)
    expect(families.map(({ name }) => name)).toEqual([...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name))
    expect(families.filter(({ help }) => help === '')).toEqual([])
    const expected = {
      'lockkeeper_runs_started_total{target="prod"}': 1,
      'lockkeeper_requests_ended_total{target="prod",outcome="succeeded"}': 1,
      'lockkeeper_run_duration_seconds_count{target="prod",outcome="succeeded"}': 1,
      'lockkeeper_approval_wait_seconds_count{target="prod"}': 1,
      'lockkeeper_phase_duration_seconds_count{phase="plan",outcome="waiting"}': 1,
      'lockkeeper_phase_duration_seconds_count{phase="check",outcome="go"}': 1,
      'lockkeeper_step_duration_seconds_count{step="backup",outcome="done"}': 1,
      'lockkeeper_step_duration_seconds_count{step="migrate",outcome="done"}': 1,
      'lockkeeper_children_running{program="pg_dump"}': 0,
      'lockkeeper_acknowledgement_duration_seconds_count{type="command"}': 1,
      'lockkeeper_refusals_total{code="own_request"}': 1,
      'lockkeeper_requests_open{state="waiting"}': 0,
      lockkeeper_outbox_messages: 0,
      lockkeeper_outbox_oldest_seconds: 0,
      'lockkeeper_engine_workflows{state="pending"}': 0,
      lockkeeper_slack_connections: 2,
      lockkeeper_store_up: 1,
      lockkeeper_store_pool_waiting: 0,
    }
    expect(Object.fromEntries(Object.keys(expected).map((sample) => [sample, valueOf(text, sample)]))).toEqual(expected)
    expect(valueOf(text, 'lockkeeper_slack_call_duration_seconds_count{method="chat.postMessage",result="ok"}')).toBeGreaterThan(1)
    expect(valueOf(text, 'lockkeeper_children_ended_total{program="pg_dump",outcome="ok"}')).toBeGreaterThanOrEqual(1)
    expect(valueOf(text, 'process_resident_memory_bytes')).toBeGreaterThan(1_000_000)
  })

  test('no label holds an id or a person', async () => {
    const samples = (await scrape())
      .split('\n')
      .filter((line) => line.startsWith('lockkeeper_') && !line.startsWith('lockkeeper_build_info'))
    const values = new Set(
      samples.flatMap((line) => [...line.matchAll(/(\w+)="([^"]*)"/g)].flatMap(([, key, value]) => (key === 'le' ? [] : [value ?? '']))),
    )
    expect([...values].filter((value) => /^[UWCTS][A-Z0-9]{4,}$|\d{2}|[0-9a-f]{8}/.test(value))).toEqual([])
    expect(values.size).toBeGreaterThan(20)
    expect(values.size).toBeLessThan(80)
  })

  test('the log names the request in each line about it, the run and the step in lines of a run, and the delivery', () => {
    const known = lines(flow.log())
    const about = (msg: string) => known.filter((line) => line['msg'] === msg)
    expect(
      about('a step has ended').map(({ request, target, run, step, outcome }) => ({ request, target, run, step, outcome })),
    ).toContainEqual({
      request: id,
      target: 'prod',
      run: id,
      step: 'backup',
      outcome: 'done',
    })
    expect(about('the request has ended').map(({ request, target, outcome }) => ({ request, target, outcome }))).toEqual([
      { request: id, target: 'prod', outcome: 'succeeded' },
    ])
    expect(about('somebody was refused')).toEqual([
      expect.objectContaining({ code: 'own_request', delivery: expect.any(String) as string }),
    ])
    expect(about('a child process has ended').find(({ program, step }) => program === 'pg_dump' && step === 'backup')).toMatchObject({
      request: id,
      run: id,
      step: 'backup',
    })
  })

  test('the trace has the request, its plan, its wait, its check and each step, with children and calls below them', async () => {
    const root = await spanNamed(collector, 'request prod')
    expect(root.parentSpanId).toBe('')
    expect(root.attributes).toEqual({ 'lockkeeper.request': id, 'lockkeeper.target': 'prod', 'lockkeeper.outcome': 'succeeded' })
    expect(root.resource).toMatchObject({ 'service.name': 'lockkeeper', 'service.version': '0.1.0' })
    const inTrace = () => collector.spans().filter(({ traceId }) => traceId === root.traceId)
    const names = () => inTrace().map(({ name }) => name)
    await until('the last call arrives', () => names().includes('step verify-schema') && names().includes('chat.postMessage'))
    for (const name of ['plan', 'wait for approval', 'check before the run', 'step preflight', 'step backup', 'step migrate'])
      expect(inTrace().find((span) => span.name === name)?.parentSpanId).toBe(root.spanId)
    const wait = inTrace().find(({ name }) => name === 'wait for approval')
    expect(wait?.endMs).toBeGreaterThan(wait?.startMs ?? 0)
    const backup = inTrace().find(({ name }) => name === 'step backup')
    expect(backup?.attributes).toEqual({
      'lockkeeper.request': id,
      'lockkeeper.target': 'prod',
      'lockkeeper.step': 'backup',
      'lockkeeper.attempt': 1,
      'lockkeeper.outcome': 'done',
    })
    expect(inTrace().find(({ name, parentSpanId }) => name === 'pg_dump' && parentSpanId === backup?.spanId)?.attributes).toMatchObject({
      'process.executable.name': 'pg_dump',
      'lockkeeper.outcome': 'ok',
    })
    expect(inTrace().filter(({ status }) => status === 2)).toEqual([])
  })

  test('what is sent holds no secret, no argument and no person', () => {
    const raw = collector.raw()
    expect(raw.length).toBeGreaterThan(1_000)
    for (const hidden of [flow.database.url, flow.slack.tokens.bot, '--format', 'U0ALICE', 'U0BOB', flow.repository, flow.directory])
      expect([hidden, raw.includes(hidden)]).toEqual([hidden, false])
  })
})
