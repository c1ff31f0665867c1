import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { policyHash } from '../../approvals/policy.ts'
import { fingerprintOf } from '../../src/config/fingerprint.ts'
import { loadConfig } from '../../src/config/load.ts'
import { plannedSteps } from '../../src/deploy/planned.ts'
import { digestOf } from '../../src/plan/digest.ts'

// The examples of the build that went before the rooms, and what that build made of them. Where they name a file with a secret, these
// copies name a variable. A difference means that plans which were approved before an upgrade are no longer what would run after it.
const before = (file: string) => join(import.meta.dirname, 'before', file)
type Hashes = {
  readonly file: string
  readonly targets: Readonly<Record<string, { readonly policy: string; readonly digest: string }>>
}
const hashes = JSON.parse(readFileSync(before('hashes.json'), 'utf8')) as Readonly<Record<string, Hashes>>

describe('a configuration of before', () => {
  test.each(Object.keys(hashes))('%s is read as it was: the same settings, policies and digests', (file) => {
    const config = loadConfig(before(file), environmentOf(readFileSync(before(file), 'utf8')))
    const targets = [...config.targets].map(([name, target]) => {
      const policy = policyHash(target)
      const plan = {
        version: 1,
        target: name,
        identity: { host: 'db.example', port: 5432, database: 'shop', systemIdentifier: '7313537478930115808', databaseOid: 16504 },
        commit: '0'.repeat(40),
        ref: 'main',
        baseline: [{ name: '1_a', sha256: 'a'.repeat(64) }],
        list: [{ name: '2_b', sha256: 'b'.repeat(64), bytes: 1, rollbackSha256: null, concurrently: false }],
        steps: plannedSteps(target),
        policy,
      } as const
      return [name, { policy, digest: digestOf(plan) }]
    })
    expect({ file: fingerprintOf(config.file).hash, targets: Object.fromEntries(targets) }).toEqual(hashes[file])
  })
})

/** A value for each variable that it refers to. */
function environmentOf(text: string): Readonly<Record<string, string>> {
  const named = [...text.matchAll(/env:([A-Z0-9_]+)/g)].map(([, name = '']) => [
    name,
    name.endsWith('URL') ? 'postgresql://u@db.example/shop' : 'x',
  ])
  return { SLACK_BOT_TOKEN: 'xoxb-1', SLACK_APP_TOKEN: 'xapp-1', SLACK_SIGNING_SECRET: 'x', ...Object.fromEntries(named) }
}
