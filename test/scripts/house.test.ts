import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import config from '../../oxlint.config.ts'
import { roomTable } from '../../scripts/house/table.ts'
import { captureChild } from '../../src/process/capture.ts'
import { createRedactor } from '../../src/redact/redact.ts'

const root = resolve(import.meta.dirname, '../..')
const sources = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'src', 'commands', 'approvals'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /\.tsx?$/.test(file))

it('the linter has one rule for each folder', () => {
  const folders = [...new Set(sources.map((file) => dirname(file)))].toSorted()
  const ruled = (config.overrides ?? [])
    .filter(({ rules }) => rules?.['no-restricted-imports'] !== undefined)
    .flatMap(({ files }) => files)
    .filter((pattern) => pattern.endsWith('/*.ts') && !pattern.startsWith('playground'))
    .map((pattern) => dirname(pattern))
  expect(ruled.toSorted()).toEqual(folders)
})

it('the linter sees circles through types too', () => {
  expect(config.rules?.['import/no-cycle']).toEqual(['error', { ignoreTypes: false }])
})

it('the architecture page has every folder with its rule', () => {
  const cells = (table: string) => table.replace(/ +/g, ' ').replace(/-+/g, '-')
  expect(cells(readFileSync(join(root, 'docs/architecture.md'), 'utf8'))).toContain(cells(roomTable()))
})

describe('the structure check', () => {
  it('passes a tree that keeps to the plan', async () => {
    const end = await check({ 'src/lib/text.ts': 'export const text = 1', 'src/run/run.ts': "export { text } from '../lib/text.ts'" })
    expect(end).toEqual({ code: 0, said: [] })
  })

  it('says where a file belongs that lies outside of the plan', async () => {
    const { code, said } = await check({ 'src/utils/misc.ts': 'export const misc = 1' })
    expect(code).toBe(1)
    expect(said[0]).toBe('src/utils/misc.ts lies outside of the plan. Put it where it belongs:')
    expect(said).toContain('  src/process: child processes: the only place that starts one')
  })

  it('says which folder of a room a file belongs into', async () => {
    const { code, said } = await check({ 'src/migrate/misc/misc.ts': 'export const misc = 1' })
    expect(code).toBe(1)
    expect(said).toEqual([
      'src/migrate/misc/misc.ts: src/migrate has the folders attempts, prisma, others, observe, diagnoses, decide, prisma8. Put it into one of them, or name a new one in scripts/house/plan.ts.',
    ])
  })

  it('says why an import is forbidden, a type or not', async () => {
    const { code, said } = await check({
      'src/backup/catalogue.ts': "import type { Run } from '../run/run.ts'\nexport type Backup = Run",
      'src/run/run.ts': 'export type Run = string',
    })
    expect(code).toBe(1)
    expect(said).toEqual([
      'src/backup/catalogue.ts imports src/run/run.ts. src/backup (catalogue, manifest, retention; a provider a file under providers/) stands below src/run (the run: preflight checks, steps, the workflow that carries them, what a killed run leaves) and must not know it. Move what both need down, or pass it in.',
    ])
  })

  it('says which way imports run inside a room', async () => {
    const { code, said } = await check({
      'src/run/steps/a.ts': "export { w } from '../workflow/w.ts'",
      'src/run/workflow/w.ts': 'export const w = 1',
    })
    expect(code).toBe(1)
    expect(said).toEqual([
      'src/run/steps/a.ts imports src/run/workflow/w.ts. In src/run imports run one way: . < preflight < assertions < steps < step-runner < workflow. steps stands below workflow.',
    ])
  })

  it('names the files of a circle', async () => {
    const { code, said } = await check({
      'src/lib/a.ts': "import type { B } from './b.ts'\nexport type A = B[]",
      'src/lib/b.ts': "import type { A } from './a.ts'\nexport type B = A | null",
    })
    expect(code).toBe(1)
    expect(said).toEqual(['    src/lib/a.ts <-> src/lib/b.ts'])
  })

  it('names a file that is too long, a folder that is too full, and what lies in src itself', async () => {
    const crowd = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`src/lib/l${index}.ts`, 'export {}']))
    const { code, said } = await check({ ...crowd, 'src/store/long.ts': 'export {}\n'.repeat(301), 'src/loose.ts': 'export {}' })
    expect(code).toBe(1)
    expect(said.slice(0, 4)).toEqual([
      '    src/loose.ts',
      '    src/lib: 15 files',
      '    src/store/long.ts: 301 lines',
      'src/loose.ts lies outside of the plan. Put it where it belongs:',
    ])
  })
})

/** What it says beside its table of figures, about a checkout of these files. */
async function check(files: Readonly<Record<string, string>>): Promise<{ readonly code: number | null; readonly said: readonly string[] }> {
  const directory = mkdtempSync(join(tmpdir(), 'house-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  execFileSync('git', ['init', '--quiet'], { cwd: directory })
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), text)
  }
  const end = await captureChild({
    argv: [process.execPath, join(root, 'scripts/house.ts'), '--root', directory],
    cwd: root,
    env: { PATH: '/usr/bin:/bin' },
    redactor: createRedactor([]),
  })
  return {
    code: end.exitCode,
    said: end.stdout
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '' && !/^\S.*\s\d+(\s+aim \d+)?$/.test(line)),
  }
}
