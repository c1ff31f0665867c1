import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'

type Keys = Readonly<Record<string, unknown>>

/** A configuration of two targets with what a test adds, read from a file as the bot reads it. */
export function configWith(
  rest: Keys,
  env: Readonly<Record<string, string>>,
  targets: { readonly prod?: Keys; readonly staging?: Keys } = {},
): { readonly config: Config; readonly close: () => void } {
  const directory = mkdtempSync(join(tmpdir(), 'lockkeeper-outside-'))
  const target = {
    channel: 'C0DEPLOYS',
    source: { repository: './shop.git' },
    database: { url: 'env:DB' },
    tool: 'prisma',
    approvals: { from: ['user:U0BOB'] },
  }
  const file = join(directory, 'lockkeeper.yaml')
  writeFileSync(
    file,
    JSON.stringify({
      ...rest,
      targets: { prod: { ...target, label: 'Production', ...targets.prod }, staging: { ...target, ...targets.staging } },
    }),
  )
  return {
    config: loadConfig(file, { DB: 'postgresql://u:p@127.0.0.1:1/db', ...env }),
    close: () => rmSync(directory, { recursive: true, force: true }),
  }
}
