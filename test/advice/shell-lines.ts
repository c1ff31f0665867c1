import { createPrivateKey } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { diagnoseInstall, diagnoseStep } from '../../src/deploy/diagnoses.ts'
import { whyUnrunnable } from '../../src/sql/unrunnable.ts'
import { toolEnvironment } from '../helpers/sample.ts'
import { copied, refusalOf, shell, type Scenario } from './typed.ts'

/** Lines for a shell, typed in a directory where they are advised. */

let directory: string

export async function openDirectory(): Promise<() => Promise<void>> {
  directory = await mkdtemp(join(tmpdir(), 'lockkeeper-advice-'))
  return () => rm(directory, { recursive: true, force: true })
}

const place = async (name: string) => {
  const path = join(directory, name)
  await mkdir(path)
  return path
}

export const onTheMachine: readonly Scenario[] = [
  {
    shapes: ['iconv -f … -t UTF-8'],
    async drive() {
      const at = await place('latin')
      await writeFile(join(at, 'migration.sql'), Buffer.from("insert into a values ('Müller');\n", 'latin1'))
      const why = async (name: string) => whyUnrunnable('migration.sql', await readFile(join(at, name)), true)
      await shell(`${copied((await why('migration.sql')) ?? '', 'iconv')} migration.sql > mended.sql`, at)
      expect(await why('mended.sql')).toBeNull()
      expect(await readFile(join(at, 'mended.sql'), 'utf8')).toContain('Müller')
    },
  },
  {
    shapes: ['openssl genpkey -algorithm ed25519'],
    async drive() {
      const { stdout } = await shell('openssl genpkey -algorithm ed25519', directory)
      expect(createPrivateKey(stdout).asymmetricKeyType).toBe('ed25519')
    },
  },
  {
    shapes: ['npx prisma validate'],
    async drive() {
      const at = await place('schema')
      await symlink(join(import.meta.dirname, '../../node_modules'), join(at, 'node_modules'))
      const write = (text: string) => writeFile(join(at, 'schema.prisma'), text)
      const validate = () =>
        shell('npx --no-install prisma validate --schema schema.prisma', at, {
          ...toolEnvironment,
          DATABASE_URL: 'postgresql://nobody@localhost/nowhere',
        })
      const schema = 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n'
      await write(`${schema}model A {\n`)
      await expect(validate()).rejects.toThrow(/Error validating/)
      await write(`${schema}model A {\n  id Int @id\n}\n`)
      expect((await validate()).stdout).toContain('is valid')
    },
  },
  {
    shapes: ['npm install'],
    async drive() {
      const at = await place('application')
      await mkdir(join(at, 'left'))
      await writeFile(join(at, 'left/package.json'), '{"name":"left","version":"1.0.0"}')
      await writeFile(join(at, 'package.json'), '{"name":"application","dependencies":{"left":"file:./left"}}')
      const offline = { npm_config_offline: 'true', npm_config_audit: 'false', npm_config_cache: join(at, 'cache') }
      const clean = () => refusalOf(shell('npm ci', at, offline))
      expect(copied(diagnoseInstall(await clean()).next, 'npm')).toBe('npm install')
      await shell('npm install', at, offline)
      expect(await clean()).toBe('')
      await writeFile(join(at, 'package.json'), '{"name":"application","dependencies":{"left":"file:./left","right":"file:./left"}}')
      expect(copied(diagnoseInstall(await clean()).next, 'npm')).toBe('npm install')
      await shell('npm install', at, offline)
      expect(await clean()).toBe('')
    },
  },
]

/** A repository with one commit of these files. */
async function repository(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const at = await place(name)
  await shell('git init --quiet && git config user.name A && git config user.email a@example.com', at)
  for (const [path, content] of Object.entries(files)) await writeFile(join(at, path), content)
  await shell('git add --all --force && git commit --quiet --message=first', at)
  return at
}

const DUBIOUS = { GIT_TEST_ASSUME_DIFFERENT_OWNER: '1' }

export const inGit: readonly Scenario[] = [
  {
    shapes: ['git rm --cached -- …'],
    async drive() {
      const at = await repository('tracked', { '.env': 'A=1\n' })
      await shell('git rm --cached -- .env && git commit --quiet --message=second', at)
      expect((await shell('git ls-files', at)).stdout).toBe('')
      expect(await readFile(join(at, '.env'), 'utf8')).toBe('A=1\n') // who removes it from git keeps it
    },
  },
  {
    shapes: ['git lfs untrack … && git add --renormalize .'],
    async drive() {
      const at = await place('large')
      await shell('git init --quiet && git config user.name A && git config user.email a@example.com && git lfs install --local', at)
      await shell(`git lfs track '*.sql'`, at)
      await writeFile(join(at, 'migration.sql'), 'select 1;\n')
      await shell('git add --all && git commit --quiet --message=first', at)
      const blob = async () => (await shell('git show HEAD:migration.sql', at)).stdout
      expect(await blob()).toMatch(/^version https:\/\/git-lfs/)
      await shell(`git lfs untrack '*.sql' && git add --renormalize . && git commit --quiet --all --message=second`, at)
      expect(await blob()).toBe('select 1;\n')
    },
  },
  {
    shapes: ['git lfs push --object-id origin …'],
    async drive() {
      const at = await place('unpushed')
      await shell('git init --quiet --bare origin.git && git init --quiet clone', at)
      const clone = join(at, 'clone')
      await shell(
        `git config user.name A && git config user.email a@example.com && git lfs install --local && git remote add origin "file://${at}/origin.git" && git lfs track '*.png'`,
        clone,
      )
      await writeFile(join(clone, 'a.png'), 'a picture')
      await shell('git add --all && git commit --quiet --message=first && git push --quiet --no-verify origin HEAD:main', clone)
      const oid = /oid sha256:(\w+)/.exec((await shell('git show HEAD:a.png', clone)).stdout)?.[1] ?? ''
      const there = join(at, 'origin.git/lfs/objects', oid.slice(0, 2), oid.slice(2, 4), oid)
      await expect(readFile(there)).rejects.toThrow('ENOENT')
      await shell(`git lfs push --object-id origin ${oid}`, clone)
      expect(await readFile(there, 'utf8')).toBe('a picture')
    },
  },
  {
    shapes: ['git config --global --add safe.directory …', 'git config --global --add safe.directory &lt;directory&gt;'],
    async drive() {
      const at = await repository('of another', { a: '1' })
      const env = { ...DUBIOUS, HOME: directory }
      const refused = await refusalOf(shell('git status', at, env))
      const advised = copied(diagnoseStep(refused).next, 'git config')
      await shell(advised.replace('<directory>', `'${at}'`), directory, env)
      await shell('git status', at, env)
    },
  },
  {
    shapes: ['git status'],
    async drive() {
      const at = await repository('edited', { 'a.js': 'one\n' })
      await shell('git checkout --quiet -b next', at)
      await writeFile(join(at, 'a.js'), 'two\n')
      await shell('git commit --quiet --all --message=second && git checkout --quiet -', at)
      await writeFile(join(at, 'a.js'), 'by hand\n')
      const refused = await refusalOf(shell('git checkout next', at))
      const { stdout } = await shell(copied(diagnoseStep(refused).next, 'git'), at)
      expect(stdout).toContain('a.js')
    },
  },
]
