import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { captureChild } from '../../src/process/capture.ts'
import { createRedactor } from '../../src/redact/redact.ts'

test('bin/lockkeeper finds the house through a chain of symbolic links', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'lockkeeper-bin-'))
  try {
    await symlink(resolve('bin/lockkeeper'), join(directory, 'first'))
    await symlink('first', join(directory, 'second'))
    const end = await captureChild({
      argv: ['/bin/sh', '-x', join(directory, 'second'), 'help'],
      cwd: directory,
      env: { PATH: '/usr/bin:/bin' },
      redactor: createRedactor([]),
      timeoutMs: 30_000,
    })
    expect(end.stderr).toContain(
      `${resolve('.')}/node_modules/node/bin/node --max-semi-space-size=1 --liftoff-only --import ${resolve('.')}/bin/without-types.mjs ${resolve('.')}/src/app/launch.ts help`,
    )
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
