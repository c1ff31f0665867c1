import { createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import { addressOf, tracesUrlOf } from '../../src/observability/address.ts'
import { serve } from '../../src/observability/http.ts'
import { lookAtLiveness, lookAtSlack, lookAtStore } from '../../src/observability/parts.ts'
import { createReadiness } from '../../src/observability/readiness.ts'
import { startOperation } from '../../src/observability/start.ts'
import { createLog } from '../../src/lib/log.ts'
import { createRedactor } from '../../src/redact/redact.ts'
import { systemClock } from '../../src/lib/clock.ts'

const fine = { ok: true, text: 'Fine.' }

describe('readiness', () => {
  test('is not there before everything is up, and not any more once it drains', async () => {
    const readiness = createReadiness({ now: () => 0 })
    readiness.add('store', () => fine)
    expect(await readiness.report()).toMatchObject({ ready: false, reason: 'The process is starting.' })
    readiness.up()
    expect(await readiness.report()).toEqual({
      ready: true,
      reason: null,
      parts: [
        { name: 'process', ok: true, text: 'The process is up.' },
        { name: 'store', ok: true, text: 'Fine.' },
      ],
    })
    readiness.drain()
    expect(await readiness.report()).toMatchObject({ ready: false, reason: 'The process was asked to stop and takes nothing new.' })
  })

  test('names every part that does not hold, and a part that throws', async () => {
    const readiness = createReadiness({ now: () => 0 })
    readiness.up()
    readiness.add('liveness', lookAtLiveness({ isHeld: () => false }))
    readiness.add(
      'slack',
      lookAtSlack(() => ({ mode: 'socket', connections: 0 })),
    )
    readiness.add('store', lookAtStore({ query: () => Promise.reject(new Error('connection refused')) }))
    readiness.add('audit', () => {
      throw new Error('no disk')
    })
    expect((await readiness.report()).reason).toBe(
      'The lock that proves this process alive was lost, so no step starts here until the store gives it back. Slack is not connected; runs go on meanwhile. The store does not answer: connection refused. no disk.',
    )
  })

  test.each([
    [{ mode: 'socket', connections: 1 } as const, true, 'Slack is connected (1 connection).'],
    [{ mode: 'http', isListening: true } as const, true, "Slack's requests are listened for."],
    [{ mode: 'http', isListening: false } as const, false, "Slack's requests are not listened for yet."],
  ])('Slack as %j', async (connection, ok, text) => {
    expect(await lookAtSlack(() => connection)()).toEqual({ ok, text })
  })

  test('a flood of probes asks the store once a second', async () => {
    let now = 0
    let asked = 0
    const readiness = createReadiness({ now: () => now })
    readiness.up()
    readiness.add('store', async () => {
      asked++
      return fine
    })
    await Promise.all(Array.from({ length: 1_000 }, () => readiness.report()))
    now = 999
    await readiness.report()
    expect(asked).toBe(1)
    now = 1_000
    await readiness.report()
    expect(asked).toBe(2)
  })

  test('a store that hangs is told within the time of a probe, and asked again only when it has answered', async () => {
    const hanging = Promise.withResolvers<readonly never[]>()
    let asked = 0
    let now = 0
    const readiness = createReadiness({ now: () => now })
    readiness.up()
    readiness.add(
      'store',
      lookAtStore({
        query: () => {
          asked++
          return hanging.promise
        },
      }),
    )
    expect((await readiness.report()).reason).toBe('No answer within 2 s.')
    now = 5_000
    expect((await readiness.report()).reason).toBe('No answer within 2 s.')
    expect(asked).toBe(1)
    hanging.resolve([])
    now = 10_000
    expect((await readiness.report()).ready).toBe(true)
  })
})

describe('the pages', () => {
  const pages = {
    readiness: () => Promise.reject(new Error('a fault')),
    metrics: async () => ({ type: 'text/plain; version=0.0.4; charset=utf-8', text: 'a 1\n' }),
    onFault: () => {},
  }

  test('know three addresses, are only read, and answer a fault with 500', async () => {
    const served = await serve({ host: '127.0.0.1', port: 0 }, pages)
    const ask = async (path: string, method = 'GET') => {
      const response = await fetch(`http://127.0.0.1:${served.address.port}${path}`, { method })
      return [response.status, await response.text()]
    }
    try {
      expect(await ask('/livez?verbose')).toEqual([200, 'alive\n'])
      expect(await ask('/livez', 'HEAD')).toEqual([200, ''])
      expect(await ask('/livez', 'POST')).toEqual([405, 'This is only read.\n'])
      expect(await ask('/')).toEqual([404, 'There are /livez, /readyz and /metrics.\n'])
      expect(await ask('/metrics')).toEqual([200, 'a 1\n'])
      expect(await ask('/readyz')).toEqual([500, 'This could not be answered; the log says why.\n'])
    } finally {
      await served.close()
    }
  })

  test('a port that is taken is told with what to do', async () => {
    const other = createServer()
    await new Promise<void>((listening) => other.listen(0, '127.0.0.1', listening))
    const bound = other.address()
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0
    const log = createLog(createRedactor([]), 'silent')
    const starting = startOperation({ settings: { port, host: '127.0.0.1' }, env: {}, version: '0', log, clock: systemClock })
    await expect(starting).rejects.toThrow(
      `Port ${port} on 127.0.0.1 cannot be used for /livez, /readyz and /metrics: another program listens there, perhaps another Lockkeeper. Set another as operation.port in lockkeeper.yaml, or for this process alone as OPERATION_PORT (0: any free one, off: none).`,
    )
    other.close()
  })

  test.each([
    [{}, {}, undefined],
    [{ port: 9464 }, {}, { host: '127.0.0.1', port: 9464 }],
    [{ port: 9464 }, { OPERATION_PORT: 'off' }, undefined],
    [{ port: 9464 }, { OPERATION_PORT: '0', OPERATION_HOST: '0.0.0.0' }, { host: '0.0.0.0', port: 0 }],
    [{}, { OPERATION_PORT: '9465' }, { host: '127.0.0.1', port: 9465 }],
    [{}, { OPERATION_PORT: '99999' }, { problem: 'OPERATION_PORT is "99999". It has to be a port (0 for any free one), or off.' }],
  ])('%j with %j are served at %j', (settings, env, expected) => {
    expect(addressOf({ host: '127.0.0.1', ...settings }, env)).toEqual(expected)
  })

  test.each([
    [{}, {}, undefined],
    [{ traces: 'http://c:4318/' }, {}, 'http://c:4318/v1/traces'],
    [{ traces: 'http://c:4318' }, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://d:4318' }, 'http://d:4318/v1/traces'],
    [{}, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://d:4318', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://e/t' }, 'http://e/t'],
    [{ traces: 'http://c:4318' }, { OTEL_SDK_DISABLED: 'true' }, undefined],
    [{ traces: 'http://c:4318' }, { OTEL_TRACES_EXPORTER: 'none' }, undefined],
  ])('%j with %j trace to %j', (settings, env, expected) => {
    expect(tracesUrlOf({ host: '127.0.0.1', ...settings }, env)).toBe(expected)
  })
})
