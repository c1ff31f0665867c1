import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { installStep } from '../../../src/run/steps/checkout.ts'
import { deploySteps } from '../../../src/run/steps/deploy.ts'
import { healthStep } from '../../../src/run/steps/health.ts'
import { prepareSteps } from '../../../src/run/steps/prepare.ts'
import { startDetached } from '../../../src/process/detached.ts'
import type { RunContext, Step, StepEnd } from '../../../src/request/step.ts'
import { git, shopRepository } from '../../helpers/sample.ts'
import { SECRET, testRun, type TestRun } from '../../helpers/step-run.ts'
import { until } from '../../helpers/until.ts'

const toClose: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of toClose.splice(0)) await close()
})

const OLD = '1111111aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
const AGAIN = '`/migrate deploy prod` then runs the steps again.'
const UNTOUCHED = 'It comes before the backup and the migration, so the database is as it was.'

test('a step gets the commits, the checkout and who it works for, and no database unless it says so', async () => {
  const print = [
    'node',
    '-e',
    'console.log(JSON.stringify([process.argv.slice(1), process.env]))',
    '{commit}',
    'from {previousCommit}',
    '{checkout}/x',
  ]
  const run = await installedRun({
    prepare: [{ run: print }],
    deploy: [{ run: print, database: true, env: { NODE_OPTIONS: '--no-warnings', TOKEN: 'env:SLACK_BOT_TOKEN' } }],
  })
  const seen = async (step: Step) => {
    expect(await run.perform(step)).toMatchObject({ kind: 'done' })
    return JSON.parse((await run.log()).trim().split('\n').at(-1) ?? '') as [string[], Record<string, string>]
  }
  const { commit } = run.context.plan
  const [args, env] = await seen(prepares(run)[0])
  expect(args).toEqual([commit, `from ${OLD}`, `${run.context.checkout}/x`])
  expect(env).toMatchObject({
    LOCKKEEPER_TARGET: 'prod',
    LOCKKEEPER_RUN: '41',
    LOCKKEEPER_COMMIT: commit,
    LOCKKEEPER_PREVIOUS_COMMIT: OLD,
    LOCKKEEPER_CHECKOUT: run.context.checkout,
  })
  expect(Object.keys(env).filter((name) => /DATABASE|SLACK|NODE_OPTIONS/.test(name))).toEqual([])
  const [, deployEnv] = await seen(deploys(run)[0])
  expect(deployEnv).toMatchObject({
    DATABASE_URL: 'postgresql://shop:[redacted]@127.0.0.1:5432/shop',
    NODE_OPTIONS: '--no-warnings',
    TOKEN: 'xoxb-1',
  })
})

test('a preparation that fails says what it printed, and that the database is as it was', async () => {
  const run = await installedRun({
    prepare: [{ name: 'Build', run: ['sh', '-c', 'echo "@channel <!here> src/a.ts(1,1): error TS2304: x" >&2; exit 2'] }],
  })
  const end = failure(await run.perform(prepares(run)[0]))
  expect(end.outcome).toEqual({
    headline: `*"Build" failed.* ${UNTOUCHED}`,
    why: expect.stringMatching(/^`sh -c echo .*` ended with exit code 2 after 0\.\d s\. The TypeScript code has errors\.$/),
    next: 'Mend them in the repository and ask again for that commit.',
    excerpt: '@channel <!here> src/a.ts(1,1): error TS2304: x',
  })
})

test('a directory that is not there, a command that is not there and a step that hangs each have their sentence', async () => {
  const run = await installedRun({
    prepare: [
      { name: 'Nowhere', run: ['true'], cwd: '/srv/not-there' },
      { name: 'Nothing', run: ['no-such-command', 'x'] },
      { name: 'Hang', run: ['sleep', '600'], timeout: '200ms' },
    ],
  })
  const whys = []
  for (const step of prepares(run)) whys.push(failure(await run.perform(step)).outcome.why)
  expect(whys).toEqual([
    'The directory `/srv/not-there`, where `true` should run, does not exist.',
    expect.stringMatching(/^The command `no-such-command` was not found\. The PATH of the application's commands is `/),
    '`sleep 600` did not end within its timeout of 0.2 s and was stopped.',
  ])
})

test('ten megabytes of output are kept in the log, and only their end is shown', async () => {
  const run = await installedRun({
    deploy: [
      {
        run: [
          'node',
          '-e',
          `for (let n = 0; n < 100000; n++) console.log(String(n).padStart(100, '.')); console.log('${SECRET}'); process.exitCode = 1`,
        ],
      },
    ],
  })
  const end = failure(await run.perform(deploys(run)[0]))
  expect((await stat(run.context.spool)).size).toBeGreaterThan(10_000_000)
  expect(((await stat(run.context.spool)).mode & 0o777).toString(8)).toBe('600')
  expect(end.outcome.excerpt).toMatch(/\.99999\n\[redacted\]$/)
  expect(JSON.stringify(end)).not.toContain(SECRET)
  expect(await run.log()).not.toContain(SECRET)
})

test('a failed deploy step says which version answers, when the answer proves it', async () => {
  const shop = await serving(() => [200, JSON.stringify({ version: OLD })])
  const run = await installedRun({
    deploy: [{ name: 'Switch', run: ['sh', '-c', 'echo "fatal: reference is not a tree: 42" >&2; exit 128'] }],
    health: [{ http: shop }],
  })
  expect(failure(await run.perform(deploys(run)[0])).outcome).toEqual({
    headline: '*"Switch" failed.* The application is up on the old version `1111111`.',
    why: expect.stringMatching(/ended with exit code 128 after 0\.\d s\. The live directory does not have the approved commit\.$/),
    next: `Put a step before it that fetches: \`run: [git, fetch, origin]\` with the same \`cwd\`. ${AGAIN}`,
    excerpt: 'fatal: reference is not a tree: 42',
  })
})

test('what health does not prove is not claimed', async () => {
  const silent = await serving(() => [200, 'ok'])
  const broken = await serving(() => [500, ''])
  const headlineWith = async (health: object[]) => {
    const run = await installedRun({ deploy: [{ name: 'Restart', run: ['false'] }], health })
    return failure(await run.perform(deploys(run)[0])).outcome.headline
  }
  expect(await headlineWith([{ http: silent }])).toBe(
    '*"Restart" failed.* The application answers, but its health answer does not say which version it is.',
  )
  expect(await headlineWith([{ http: broken }])).toBe(
    `*"Restart" failed.* The application does not answer as it should: \`${broken}\` says HTTP 500 instead of 200.`,
  )
  expect(await headlineWith([])).toBe('*"Restart" failed.* Which version is live is not known here, since no health probe is configured.')
})

test('a step that ended is not run again when only its record was lost', async () => {
  const run = await installedRun({
    deploy: [{ run: ['sh', '-c', 'echo ran >> tally; exit "$CODE"'], cwd: '{checkout}', env: { CODE: '0' } }],
  })
  await run.perform(deploys(run)[0])
  const successor = await run.another({})
  expect(await deploys(successor)[0].inspect(successor.context)).toMatchObject({ kind: 'done' })
  expect(await readFile(join(run.context.checkout, 'tally'), 'utf8')).toBe('ran\n')
})

test('a step that failed is reported once more, not run once more, when only its record was lost', async () => {
  const run = await installedRun({ deploy: [{ name: 'Restart', run: ['sh', '-c', 'echo ran >> tally; exit 7'], cwd: '{checkout}' }] })
  const first = failure(await run.perform(deploys(run)[0]))
  const successor = await run.another({})
  expect(failure(await successor.perform(deploys(successor)[0])).outcome).toEqual(first.outcome)
  expect(await readFile(join(run.context.checkout, 'tally'), 'utf8')).toBe('ran\n')
})

test('a step that was started and never ended is a person’s decision', async () => {
  const shop = await serving(() => [200, JSON.stringify({ version: OLD })])
  const run = await installedRun({ deploy: [{ name: 'Push', run: ['push-image'] }], health: [{ http: shop }] })
  await writeFile(join(run.context.directory, 'deploy-1.json'), JSON.stringify({ state: 'started', pid: null }))
  expect(await run.perform(deploys(run)[0])).toEqual({
    kind: 'unknown',
    output: 'unclear',
    outcome: {
      headline: '*Lockkeeper was interrupted during "Push" and does not run it a second time by itself.*',
      known: '`push-image` was started. The database was not changed. The application is up on the old version `1111111`.',
      notKnown: 'Whether it did all of its work.',
      next: `Look at what it changes. Then \`/migrate cancel 41\` closes this request. ${AGAIN} \`repeatable: true\` beside a step that may run twice lets the next run go on by itself.`,
    },
  })
})

test('a step that is said to be repeatable runs again after an interruption', async () => {
  const run = await installedRun({ deploy: [{ run: ['true'], repeatable: true }] })
  await writeFile(join(run.context.directory, 'deploy-1.json'), JSON.stringify({ state: 'started', pid: 999_999_999 }))
  expect(await run.perform(deploys(run)[0])).toMatchObject({ kind: 'done' })
})

test('while the process of an interrupted step may live, not even a repeatable one runs again', async () => {
  const run = await installedRun({ deploy: [{ name: 'Restart', run: ['true'], repeatable: true }] })
  const { pid } = startDetached({ argv: ['/bin/sleep', '600'], cwd: run.home, env: {}, output: join(run.home, 'out') })
  toClose.push(() => void process.kill(pid, 'SIGKILL'))
  await writeFile(join(run.context.directory, 'deploy-1.json'), JSON.stringify({ state: 'started', pid }))
  const end = await run.perform(deploys(run)[0])
  expect(end).toMatchObject({
    kind: 'unknown',
    outcome: { headline: `*"Restart" was started by a Lockkeeper that has gone, and process ${pid} may still be at it.*` },
  })
})

test('a note that is damaged never looks like a step that was never started', async () => {
  const run = await installedRun({ deploy: [{ run: ['true'] }] })
  await writeFile(join(run.context.directory, 'deploy-1.json'), '')
  await expect(deploys(run)[0].inspect(run.context)).rejects.toThrow(/about a deploy step cannot be read/)
})

test('a note that cannot be written after the command was started neither stops it nor hides how it ended', async () => {
  const run = await installedRun({ deploy: [{ name: 'Restart', run: ['sh', '-c', 'echo ran >> tally'], cwd: '{checkout}' }] })
  const { directory } = run.context
  const file = join(directory, 'deploy-1.json')
  const notes: unknown[] = []
  const [step] = deploys(run)
  const context: RunContext = {
    ...run.context,
    note: async (event) => void notes.push(event),
    // read again after the first note stands: from then on a directory is in its place
    get directory() {
      if (existsSync(file)) {
        rmSync(file, { recursive: true })
        mkdirSync(file)
      }
      return directory
    },
  }
  expect(await step.act(context)).toMatchObject({ kind: 'done' })
  expect(await readFile(join(run.context.checkout, 'tally'), 'utf8')).toBe('ran\n')
  expect(notes).toEqual([
    {
      kind: 'finding',
      data: {
        text: expect.stringMatching(
          /^"Restart" ran, but Lockkeeper could not write down for a successor how far it was: EISDIR: .*\. Mend that where Lockkeeper runs\.$/,
        ),
      },
    },
  ])
})

test('a command that could not be noted beforehand is not started', async () => {
  const run = await installedRun({ deploy: [{ name: 'Restart', run: ['sh', '-c', 'echo ran >> tally'], cwd: '{checkout}' }] })
  await rm(run.context.directory, { recursive: true })
  const end = failure(await run.perform(deploys(run)[0]))
  expect(end.outcome).toEqual({
    headline: '*"Restart" was not started.* The database was not changed.',
    why: expect.stringMatching(/^Lockkeeper could not write down that it begins: ENOENT: no such file or directory, open '.*'\.$/),
    next: `Mend that where Lockkeeper runs. ${AGAIN}`,
  })
  await expect(stat(join(run.context.checkout, 'tally'))).rejects.toThrow('ENOENT')
})

test('cancelled in a deploy step, it stops the command and says what answers', async () => {
  const run = await installedRun({ deploy: [{ name: 'Restart', run: ['sleep', '600'] }] })
  const performing = run.perform(deploys(run)[0])
  await until('its process is noted', async () =>
    /"pid":\d/.test(await readFile(join(run.context.directory, 'deploy-1.json'), 'utf8').catch(() => '')),
  )
  run.abort(true)
  expect(await performing).toMatchObject({
    kind: 'cancelled',
    outcome: {
      headline: '*Stopped in the middle of "Restart".* Which version is live is not known here, since no health probe is configured.',
      next: '`/migrate deploy prod` runs the steps again.',
    },
  })
})

test('a deploy step that is stopped without anybody cancelling is unclear, not cancelled', async () => {
  const run = await installedRun({ deploy: [{ name: 'Restart', run: ['sleep', '600'] }] })
  const performing = run.perform(deploys(run)[0])
  await until('its process is noted', async () =>
    /"pid":\d/.test(await readFile(join(run.context.directory, 'deploy-1.json'), 'utf8').catch(() => '')),
  )
  run.abort(false)
  expect(await performing).toMatchObject({
    kind: 'unknown',
    outcome: { headline: '*Lockkeeper was interrupted during "Restart" and does not run it a second time by itself.*' },
  })
})

test('a live directory is switched to the approved commit with git', async () => {
  const run = await installedRun({ deploy: [{ name: 'Switch', run: ['git', 'checkout', '--detach', '{commit}'], cwd: 'live' }] })
  await git(run.home, ['clone', '--quiet', run.context.target.source.repository, 'live'])
  await git(join(run.home, 'live'), ['checkout', '--quiet', 'HEAD~5'])
  expect(await run.perform(deploys(run)[0])).toMatchObject({ kind: 'done' })
  expect((await git(join(run.home, 'live'), ['rev-parse', 'HEAD'])).trim()).toBe(run.context.plan.commit)
})

test('an application that still answers from the old version after the switch is not healthy', async () => {
  const shop = await serving(() => [200, JSON.stringify({ version: OLD })])
  const run = await installedRun({ deploy: [{ run: ['true'] }], health: [{ http: shop, within: '600ms' }] })
  expect(failure(await run.perform(healthStep(run))).outcome).toEqual({
    headline: '*The application is not healthy after the deploy.* The database was not changed.',
    why: `\`${shop}\`: It did not answer well 5 times in a row within 0.6 s (last: it still answers from the old version 1111111).`,
    next: "Look at the application's log. When it is mended, `/migrate deploy prod` runs the steps again. To go back to the old code, revert it on `main`, but keep everything below `prisma/migrations` (a commit without what is applied is refused), and `/migrate deploy prod` again. The old code then has to fit the new schema.",
    excerpt: JSON.stringify({ version: OLD }),
  })
})

test('health is one line of numbers when all is well, also when nothing is configured', async () => {
  const shop = await serving(() => [200, 'fine'])
  const run = await installedRun({ health: [{ http: shop }, { http: shop }] })
  expect(await run.perform(healthStep(run))).toMatchObject({ kind: 'done', output: expect.stringMatching(/^2 checks passed, 1(\.\d)? s$/) })
  const none = await run.another({ settings: {} })
  expect(await none.perform(healthStep(none))).toEqual({ kind: 'done', output: 'no probe is configured' })
})

type Steps = readonly [Step, ...Step[]]
const deploys = (run: TestRun) => deploySteps(run.context.target, { home: run.home }) as Steps
const prepares = (run: TestRun) => prepareSteps(run.context.target, { home: run.home }) as Steps

/** A run whose install step is behind it, with nothing to install. */
async function installedRun(settings: Readonly<Record<string, unknown>>): Promise<TestRun> {
  const repository = await kept(shopRepository())
  const run = await kept(
    testRun({
      repository: repository.path,
      commit: repository.main,
      settings: { source: { install: ['true'] }, current: ['echo', OLD], ...settings },
    }),
  )
  await mkdir(run.home, { recursive: true })
  expect(await run.perform(installStep({ home: run.home, varDirectory: run.varDirectory }))).toMatchObject({ kind: 'done' })
  return run
}

function failure(end: StepEnd): Extract<StepEnd, { kind: 'failed' }> {
  if (end.kind !== 'failed') throw new Error(`it did not fail: ${JSON.stringify(end)}`)
  return end
}

async function serving(answer: () => readonly [number, string]): Promise<string> {
  const server = createServer((_, response) => {
    const [status, body] = answer()
    response.writeHead(status).end(body)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  toClose.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/health`
}

async function kept<T extends { readonly close: () => Promise<void> }>(making: Promise<T>): Promise<T> {
  const made = await making
  toClose.push(made.close)
  return made
}
