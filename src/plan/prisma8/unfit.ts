import type { Target } from '../../config/config.ts'
import { refuse, type Refusal } from '../../lib/refusal.ts'
import { code } from '../../lib/text/code.ts'
import { count, listed, quoted } from '../../lib/text/quoted.ts'
import { short, type RunnerFiles } from './repository.ts'
import type { Hidden } from './state.ts'
import type { RunnerStatus } from './status.ts'

type Found = {
  readonly target: Pick<Target, 'name'>
  readonly files: Pick<RunnerFiles, 'packages' | 'directory'>
  readonly status: RunnerStatus
}

/** Why nothing of this may run on this database; null when it may. What is the hardest to put right comes first. */
export function whyNotRunnable(found: Found): Refusal | null {
  const { target, status } = found
  const name = quoted(target.name)
  if (status.lockHeld)
    return unfit(`Somebody runs ${code('prisma db migrate')} on ${name} right now: its lock is held. Wait until that ends and ask again.`)
  if (status.spaces.length > 0)
    return unfit(
      `${name} also has the contracts of extensions (${listed(status.spaces)}), which Lockkeeper does not read, so it cannot say what would run.`,
    )
  if (status.baseline === 'tables') return unfit(unsigned(name, status.olderRows))
  if (status.edited.length > 0)
    return unfit(
      `${listed(status.edited.map((row) => row.name))} ${status.edited.length === 1 ? 'was' : 'were'} applied to ${name} with another content than this commit has. An applied migration is never written anew: restore it as it was applied and plan the change as a new one (${PLAN}).`,
    )
  return whyNoRoute(found)
}

/** A beginning of the hash is enough for Prisma. */
const planFrom = (contract: string | null) => code(`npx prisma migration plan --from ${contract?.slice(0, 12) ?? '@empty'}`)
const PLAN = code('npx prisma migration plan')
const SIGN = code('npx prisma db sign')

/** Where a database that Prisma 8 never signed stands, and what makes it one of Prisma 8's; a sentence each. */
export function unsigned(name: string, olderRows: number | null): string {
  if (olderRows === null)
    return `${name} has tables, and Prisma 8 never signed it, so nobody can say which migrations they come from. Prisma 8 would run every migration from the first and take tables of the same name for its own. If its schema already equals the contract, sign it (${SIGN}) and ask again.`
  return `${name} has the record of Prisma 5 to 7 (${code('_prisma_migrations')}, ${count(olderRows, 'row')}), and Prisma 8 never signed it. To hand it over, deploy what the old runner still has pending, emit the contract (${code('npx prisma contract emit')}), sign the database (${SIGN}, which compares it and writes only ${code('prisma_contract')}) and ask again.`
}

function whyNoRoute({ target, files, status }: Found): Refusal | null {
  const name = quoted(target.name)
  const { route, marker, contract, elsewhere, withoutSnapshot } = status
  const has = marker === null ? `${name}, which is empty,` : `the contract ${short(marker)}, which ${name} has,`
  if (route.kind === 'none') {
    if (!files.packages.some(({ to }) => to === contract))
      return no(
        `Contract and migrations of this commit disagree: no migration leads to the contract ${short(contract)}. Write one for what changed (${planFrom(marker)} begins where ${name} is), commit it and ask again.`,
      )
    if (marker !== null && !files.packages.some(({ from, to }) => from === marker || to === marker))
      return unfit(
        `No migration of this commit knows the contract ${short(marker)}, which ${name} has. It was probably deployed from another branch. Merge that branch first, or ask with \`--ref\` for a commit that has its migrations.`,
      )
    return no(
      `No way leads from ${has} to the contract ${short(contract)} of this commit: its migrations lead there from elsewhere only. If the commit is older than the database, ask for a newer one (\`--ref\`); else write a migration from where the database is (${planFrom(marker)}), commit it and ask again.`,
    )
  }
  if (route.kind === 'several')
    return no(
      `Two ways lead from ${has} to the contract ${short(contract)}: Prisma would take the one over ${listed(route.packages.map((one) => one.name))}, and another goes over ${quoted(route.instead.name)}. They may do different things. Remove the one that is not meant and ask again.`,
    )
  if (elsewhere.length > 0)
    return no(
      `${listed(elsewhere.map((one) => one.name))} ${elsewhere.length === 1 ? 'does' : 'do'} not lead to the contract ${short(contract)} of this commit, so Prisma would leave ${elsewhere.length === 1 ? 'it' : 'them'} out. If ${elsewhere.length === 1 ? 'it belongs' : 'they belong'} to this release, emit the contract with what ${elsewhere.length === 1 ? 'it changes' : 'they change'} (${code('npx prisma contract emit')}) or write ${elsewhere.length === 1 ? 'it' : 'them'} anew on top of the others (${PLAN}); else remove ${elsewhere.length === 1 ? 'it' : 'them'}. Then ask again.`,
    )
  const [without] = withoutSnapshot
  return without === undefined
    ? null
    : no(
        `There is no snapshot of the contract ${short(without.to)}, to which ${quoted(without.name)} leads. Restore ${quoted(`${files.directory}/snapshots/${without.to}/contract.json`, 200)} as Prisma wrote it, commit it and ask again.`,
      )
}

/** What the role of the URL may not see. */
export function hiddenText(target: Pick<Target, 'name'>, { what, role }: Hidden): string {
  const name = quoted(target.name)
  if (what === 'shape')
    return `${code('prisma_contract')} in the database of ${name} has another shape than Prisma 8's release candidate writes, so it cannot be said what is applied.`
  if (what === 'rows')
    return `Row-level security may hide rows of ${code('prisma_contract')}, Prisma 8's record, from the role ${quoted(role)} of ${name}, so it cannot be said what is applied. Take it off its tables, or let the URL name their owner or a role with BYPASSRLS.`
  const place = what === 'schema' ? `the schema ${code('prisma_contract')}` : code(`prisma_contract.${what}`)
  return `The role ${quoted(role)} of ${name} may not read ${place}, Prisma 8's record, so it cannot be said what is applied and what is pending. Grant it (${code(`grant usage on schema prisma_contract to "${role.replaceAll('"', '""')}"; grant select on all tables in schema prisma_contract to "${role.replaceAll('"', '""')}"`)}) and ask again.`
}

const no = (text: string): Refusal => refuse('repository_unfit', text)
const unfit = (text: string): Refusal => refuse('target_unfit', text)
