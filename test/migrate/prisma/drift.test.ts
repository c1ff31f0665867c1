import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { compareLive } from '../../../src/migrate/prisma/drift.ts'
import { readPulled } from '../../../src/migrate/prisma/output.ts'

let directory: string
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'lockkeeper-drift-'))))
afterEach(() => rmSync(directory, { recursive: true }))

const described = 'model A {\n  id Int @id\n}\n'
const differs = { exitCode: 2, stdout: '[*] Changed the `A` table\n' }
const same = { exitCode: 0, stdout: 'No difference detected.\n' }
const refused = { exitCode: 1, stdout: '' }

/** What each start answers, by its first word; gives what was started with the outcome. */
async function compared(answers: Readonly<Record<string, { exitCode: number; stdout: string }>>, adapter: boolean, schema = described) {
  mkdirSync(join(directory, 'prisma'), { recursive: true })
  writeFileSync(join(directory, 'prisma/schema.prisma'), schema)
  const started: string[] = []
  const drift = await compareLive({
    workspace: {
      tool: {
        commands: {
          diffLive: (major: number) => ['live', String(major)],
          pull: ['pull'],
          diff: (from: string, to: string, major: number) => ['diff', from, to, String(major)],
        },
        readPulled,
      },
      ask: async ([name = ''], cwd) => {
        started.push(name)
        expect(cwd).toBe(directory)
        return answers[name] ?? refused
      },
    },
    cwd: directory,
    session: { applicationName: 'a', lockTimeoutMs: 1, statementTimeoutMs: 1 },
    schema: 'prisma/schema.prisma',
    directory,
    major: 6,
    adapter,
  })
  return { started, drift }
}

test('without a driver adapter one start compares the live database', async () => {
  expect(await compared({ live: same }, false)).toEqual({ started: ['live'], drift: { kind: 'same' } })
  expect(await compared({ live: differs }, false)).toEqual({
    started: ['live'],
    drift: { kind: 'differs', summary: '[*] Changed the `A` table' },
  })
})

test('with one the live schema is printed, and another start is made only when its text is another', async () => {
  const printed = { exitCode: 0, stdout: `WARNING: x\n\nmodel A {\n  id    Int    @id\n}\n` }
  const changed = { exitCode: 0, stdout: 'model A {\n  id BigInt @id\n}\n' }
  expect(await compared({ pull: printed }, true)).toEqual({ started: ['pull'], drift: { kind: 'same' } })
  expect(await compared({ pull: changed, diff: differs }, true)).toMatchObject({ started: ['pull', 'diff'], drift: { kind: 'differs' } })
  // written otherwise than Prisma prints it, and the same
  expect(await compared({ pull: printed, diff: same }, true, 'model A {\n  id Int @id\n  @@index([id,\n  id])\n}\n')).toEqual({
    started: ['pull', 'diff'],
    drift: { kind: 'same' },
  })
})

test('what does not compare in one start compares in two, and what does not compare at all is said', async () => {
  const printed = { exitCode: 0, stdout: described }
  expect(await compared({ pull: printed }, false)).toEqual({ started: ['live', 'pull'], drift: { kind: 'same' } })
  expect(await compared({}, false)).toEqual({ started: ['live', 'pull'], drift: { kind: 'not-compared' } })
  expect(await compared({ pull: { exitCode: 0, stdout: 'model B {\n}\n' } }, true)).toEqual({
    started: ['pull', 'diff'],
    drift: { kind: 'not-compared' },
  })
})

test('a start that ends with 0 and says nothing did not compare: so does 7 when its engine dies', async () => {
  const silent = { exitCode: 0, stdout: '' }
  const printed = { exitCode: 0, stdout: 'model A {\n  id BigInt @id\n}\n' }
  expect(await compared({ live: silent, pull: printed, diff: differs }, false)).toMatchObject({
    started: ['live', 'pull', 'diff'],
    drift: { kind: 'differs' },
  })
  expect(await compared({ live: silent, pull: printed, diff: silent }, false)).toMatchObject({ drift: { kind: 'not-compared' } })
  expect(await compared({ live: silent, pull: silent }, false)).toMatchObject({ drift: { kind: 'not-compared' } })
})

test('a schema of several files is compared as a whole', async () => {
  mkdirSync(join(directory, 'prisma'), { recursive: true })
  rmSync(join(directory, 'prisma/schema.prisma'), { force: true })
  mkdirSync(join(directory, 'prisma/schema.prisma'))
  writeFileSync(join(directory, 'prisma/schema.prisma/a.prisma'), described)
  writeFileSync(join(directory, 'prisma/schema.prisma/z.prisma'), 'datasource db {\n  provider = "postgresql"\n}\n')
  const started: string[] = []
  const stdout =
    '// schema.prisma/a.prisma\nmodel A {\n  id Int @id\n}\n\n// schema.prisma/z.prisma\ndatasource db {\n  provider = "postgresql"\n}\n'
  const drift = await compareLive({
    workspace: {
      tool: { commands: { diffLive: () => ['live'], pull: ['pull'], diff: () => ['diff'] }, readPulled },
      ask: async ([name = '']) => {
        started.push(name)
        return { exitCode: 0, stdout }
      },
    },
    cwd: directory,
    session: { applicationName: 'a', lockTimeoutMs: 1, statementTimeoutMs: 1 },
    schema: 'prisma/schema.prisma',
    directory,
    major: 6,
    adapter: true,
  })
  expect({ drift, started }).toEqual({ drift: { kind: 'same' }, started: ['pull'] })
})
