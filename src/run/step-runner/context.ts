import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { writeAudit } from '../../audit/write.ts'
import { blockersOf } from '../../request/blocker-store.ts'
import type { RunContext } from '../../request/step.ts'
import { about, addEvent, addEventOnce, stepsOf } from '../../request/store.ts'
import { retryStore } from '../../store/retry-store.ts'
import { commandOf, type RunPorts } from './ports.ts'
import { reporter } from './reporter.ts'
import { asRedactedJson } from './step-rows.ts'
import type { Work } from './work.ts'

export async function contextOf(ports: RunPorts, work: Work, signal: AbortSignal, isCancelled: () => boolean): Promise<RunContext> {
  const { request, plan, target, step } = work
  const directory = join(ports.config.varDirectory, 'runs', String(request.id))
  const checkout = join(ports.config.varDirectory, 'checkouts', String(request.id))
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const rows = await retryStore(ports.log, () => stepsOf(ports.db, request.id))
  return {
    requestId: request.id,
    command: commandOf(ports),
    digest: request.digest,
    target,
    plan,
    attempt: (work.previous?.attempt ?? 0) + 1,
    directory,
    checkout,
    applicationDirectory: join(checkout, target.source.directory),
    spool: join(directory, 'output.log'),
    signal,
    isCancelled,
    redactor: ports.redactor,
    secret: ports.config.secret,
    env: ports.env,
    ...reporter(ports, request.id, step.name),
    note: (event) => {
      const shown = asRedactedJson(ports.redactor, event)
      return retryStore(ports.log, () =>
        shown.kind === 'migration_done' || shown.kind === 'finding' || shown.kind === 'tried'
          ? addEventOnce(ports.db, request.id, shown)
          : addEvent(ports.db, request.id, shown),
      )
    },
    blockers: blockersOf(ports.db, request.id),
    audit: (act, result, data) =>
      retryStore(ports.log, () => writeAudit(ports.db, { ...about(request), act, result, data: asRedactedJson(ports.redactor, data) })),
    dataOf: (name) => rows.find((row) => row.name === name)?.data,
  }
}
