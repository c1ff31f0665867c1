import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeAudit, type Entry } from '../audit/write.ts'
import { MANIFEST } from '../backup/manifest.ts'
import type { Config } from '../config/config.ts'
import type { Db } from '../store/pool.ts'
import type { MigrationFile } from '../plan/files.ts'
import type { Redactor } from '../redact/redact.ts'
import type { Refusal } from '../lib/refusal.ts'
import type { RequestRow } from '../request/request.ts'
import type { SlackPort } from '../slack/port.ts'
import { bundleOf, type Bundle } from './bundle.ts'
import { composeEvidence } from './document/compose.ts'
import type { EvidenceDocument, Person } from './document/document.ts'
import { ownSigner } from './keys.ts'
import { readOutput } from './document/output.ts'
import { readRows, type EvidenceRows } from './document/rows.ts'

export type ExportPorts = {
  readonly db: Db
  readonly config: Pick<Config, 'file' | 'secret' | 'varDirectory'>
  readonly redactor: Redactor
  readonly slack: Pick<SlackPort, 'user'>
  readonly titleOf: (target: string) => string
  /** The migrations of the approved commit, from git objects. */
  readonly filesOf: (request: RequestRow) => Promise<readonly MigrationFile[] | Refusal>
  readonly version: string
}

/** Makes the bundle of one request, whatever its state, and writes down who took it. Undefined: there is no such request. */
export type ExportEvidence = (id: number, by: Person, entry: Entry) => Promise<Bundle | undefined>

/** One at a time: a bundle holds megabytes while it is made. */
export function createExport(ports: ExportPorts): ExportEvidence {
  let last: Promise<unknown> = Promise.resolve()
  return (id, by, entry) => {
    const next = last.then(() => exportOne(ports, id, by, entry))
    last = next.catch(() => {}) // whoever asked is told; the next one is not kept from his own
    return next
  }
}

async function exportOne(ports: ExportPorts, id: number, by: Person, entry: Entry): Promise<Bundle | undefined> {
  const { db, config, redactor } = ports
  const signer = await ownSigner(db, config)
  const rows = await readRows(db, id)
  if (rows === undefined) return undefined
  const [files, output, manifests, people] = await Promise.all([
    ports.filesOf(rows.request),
    readOutput(join(config.varDirectory, 'runs', String(id), 'output.log'), redactor),
    manifestsOf(rows),
    namesOf(ports, accountsIn(rows, by)),
  ])
  const { title, version } = { title: ports.titleOf(rows.request.target), version: ports.version }
  const around = { title, by, files, output, manifests, people, version, signer: { keyId: signer.keyId, publicKey: signer.publicKey } }
  const bundle = bundleOf(composeEvidence(rows, around, redactor), signer)
  // written down before anybody has it: a bundle that nobody knows of would be worse than a row too many
  await writeAudit(db, {
    actor: by.account,
    human: by.human,
    entry,
    act: 'export',
    target: rows.request.target,
    requestId: id,
    result: 'signed',
    data: { sha256: bundle.sha256, keyId: bundle.keyId, isFinal: bundle.whyNotFinal === null },
  })
  return bundle
}

async function manifestsOf(rows: EvidenceRows): Promise<ReadonlyMap<string, string | null>> {
  const read = await Promise.all(
    rows.backups.map(async ({ path }) => {
      const content = await readFile(join(path, MANIFEST)).catch(() => null) // pruned, or on another machine: the bundle says so
      return [path, content === null ? null : createHash('sha256').update(content).digest('hex')] as const
    }),
  )
  return new Map(read)
}

/** People who took part; Slack is asked for no more than these. */
const MOST_PEOPLE = 30

function accountsIn({ request, votes, events }: EvidenceRows, by: Person): readonly string[] {
  const members = Object.values(request.policy?.members ?? {}).flat()
  const named = events.flatMap(({ data }) => ('by' in data ? [data.by] : []))
  const all = [
    by.account,
    by.human,
    request.requester,
    request.requesterHuman,
    request.cancelRequestedBy ?? '',
    request.breakGlass?.askedBy ?? '',
    request.breakGlass?.brokenBy ?? '',
    request.breakGlass?.reviewedBy ?? '',
    ...votes.flatMap((vote) => [vote.actor, vote.human]),
    ...named,
    ...members,
  ]
  return [...new Set(all)].filter((account) => /^[UW][A-Z0-9]+$/.test(account)).slice(0, MOST_PEOPLE)
}

/** A Slack that does not answer keeps no evidence back: the accounts stand without names. */
async function namesOf({ slack }: ExportPorts, accounts: readonly string[]): Promise<EvidenceDocument['people']> {
  return Promise.all(
    accounts.map(async (account) => {
      const found = await slack.user(account)
      return { account, name: found.kind === 'ok' ? found.value.name : null }
    }),
  )
}
