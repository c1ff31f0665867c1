import { code } from '../../approvals/wording.ts'

/** The verbs, and how each is typed. */

export type Verb = (typeof verbs)[number]

export const verbs = [
  'help',
  'status',
  'plan',
  'deploy',
  'cancel',
  'history',
  'show',
  'export',
  'break-glass',
  'ack',
  'freeze',
  'unfreeze',
  'lock',
  'unlock',
] as const
/** Only on the command line, for the day Slack is down. */
export const votingVerbs = ['approve', 'reject'] as const
export const laterVerbs = ['rehearse', 'rollback', 'resolve', 'fix', 'retry'] as const

export type Known = {
  /** Names of the configured targets. */
  readonly targets: readonly string[]
  /** As it is typed: `/migrate`, or `lockkeeper` on the command line, which also knows the voting verbs. */
  readonly command: string
}

/** How each verb is typed. */
export const usage: Readonly<Record<AnyVerb, string>> = {
  help: 'help [verb]',
  status: 'status [target]',
  plan: 'plan <target> [--ref R]',
  deploy: 'deploy <target> [--ref R] [--reason "…"] [--at "Tue 02:00"] [--in-window NAME] [--skip-app] [--break-glass] [--override "…"]',
  cancel: 'cancel <id>',
  history: 'history [target]',
  show: 'show <id>',
  export: 'export <id>',
  'break-glass': 'break-glass <id> [--reason "…"]',
  ack: 'ack <id>',
  freeze: 'freeze <target|all> [until <when> | for <how long>] [reason]',
  unfreeze: 'unfreeze <target|all>',
  lock: 'lock <target> [until <when> | for <how long>] [reason]',
  unlock: 'unlock <target>',
  approve: 'approve <id> [--digest D]',
  reject: 'reject <id> --reason "…" [--digest D]',
}

/** As it is typed here: files go to a directory on the command line only. */
export const usageOf = (verb: AnyVerb, known: Known): string =>
  verb === 'export' && !known.command.startsWith('/') ? `${usage.export} [--out DIR]` : usage[verb]

/** One example of each verb, with a target that exists here. */
export function example(verb: AnyVerb, known: Known): string {
  const target = known.targets[0] ?? 'prod'
  const examples: Record<AnyVerb, string> = {
    help: 'help deploy',
    status: `status ${target}`,
    plan: `plan ${target} --ref main`,
    deploy: `deploy ${target} --reason "checkout needs the discount columns"`,
    cancel: 'cancel 42',
    history: `history ${target}`,
    show: 'show 42',
    export: 'export 42',
    'break-glass': 'break-glass 42 --reason "checkout is down, the index is missing"',
    ack: 'ack 42',
    freeze: `freeze ${target} until Monday 09:00 end of the quarter`,
    unfreeze: `unfreeze ${target}`,
    lock: `lock ${target} for 2h restoring a table by hand`,
    unlock: `unlock ${target}`,
    approve: 'approve 42 --digest 7f3a9c21',
    reject: 'reject 42 --reason "not before Monday"',
  }
  return `${known.command} ${examples[verb]}`
}

export type AnyVerb = Verb | (typeof votingVerbs)[number]

export const knownVerbs = (known: Known): readonly AnyVerb[] => (known.command.startsWith('/') ? verbs : [...verbs, ...votingVerbs])

export const howTo = (verb: AnyVerb, known: Known) => `For example: ${code(example(verb, known), 120)}.`
