import { z } from 'zod'
import { approver, argv, channel, duration, probe, secret, step } from './keys/basics.ts'
import { assertSchema } from './keys/assertions.ts'
import { classesSchema, orderSchema } from './keys/classes.ts'
import { reviewSchema } from './keys/review.ts'
import { guardSchema } from './keys/guard.ts'
import { toolSchema } from './tool.ts'
import {
  calendarSchema,
  digestSchema,
  freezeSchema,
  mailSchema,
  maintenanceModeSchema,
  morningSchema,
  oncallSchema,
  windowsSchema,
} from './window-schema.ts'

/**
 * lockkeeper.yaml, in one place: the types below, the checks and the JSON Schema all come from here. Secrets are references; what a
 * reference points at is resolved by `load.ts` and never stands in a `Config`.
 */

export const targetSchema = z.strictObject({
  label: z.string().min(1).max(60).optional(),
  protected: z.boolean().default(true),
  channel,
  askIn: z.array(channel).optional(),
  requests: z.strictObject({ from: z.array(approver).min(1).optional() }).prefault({}),
  source: z.strictObject({
    repository: z.string().min(1),
    branch: z.string().min(1).default('main'),
    directory: z.string().default('.'),
    install: argv.default(['npm', 'ci']),
    installTimeout: duration.default(900_000),
    refs: z.array(z.string()).default([]).describe('More branches from which a commit may come'),
    path: z.string().optional().describe("The PATH of the application's commands"),
  }),
  database: z.strictObject({
    url: secret,
    lockTimeout: duration.default(2_000),
    statementTimeout: duration.default(900_000),
  }),
  guard: guardSchema.optional(),
  tool: toolSchema,
  backup: z
    .strictObject({
      provider: z.literal('pg_dump').default('pg_dump'),
      directory: z.string().default('./var/backups'),
      url: secret.optional(),
      clients: z.string().optional().describe('The directory of pg_dump and pg_restore'),
      lockWait: duration.optional().describe('How long a backup waits for a table that another session locks; 5m'),
      keep: z.strictObject({ newest: z.int().min(1).default(10) }).prefault({}),
    })
    .prefault({}),
  approvals: z.strictObject({
    required: z.int().min(0).max(10).default(1).describe('0 where `protected` is false: runs start by themselves'),
    from: z.array(approver).default([]),
    expires: duration.default(14_400_000),
    grantExpires: duration.default(900_000),
    escalate: z.array(approver).min(1).optional().describe('Who is told when nobody has answered for half of the time'),
    breaking: z.strictObject({ required: z.int().min(1).max(10).optional(), from: z.array(approver).min(1).optional() }).optional(),
  }),
  breakGlass: z
    .strictObject({
      from: z.array(approver).min(1).describe('Who may let a request run without approvals'),
      review: z.array(approver).min(1).optional().describe('Who reviews it afterwards; left out: approvals.from'),
      remind: duration.default(86_400_000).describe('How often reviewers are reminded until one of them has'),
    })
    .optional()
    .describe('For emergencies: one person lets a request run, and a second one reviews it afterwards. Left out: nobody may'),
  review: reviewSchema
    .optional()
    .describe('From when on what a migration does to a table counts, and who may let a finding pass that blocks'),
  windows: windowsSchema.prefault({}),
  maintenance: maintenanceModeSchema.optional(),
  order: orderSchema.default('migrate-first'),
  classes: classesSchema.optional().describe('What each class of change asks for; stricter ways for heavier changes'),
  prepare: z.array(step).default([]),
  deploy: z.array(step).default([]),
  assert: assertSchema.optional().describe('What has to be true of the data before and after the migrations'),
  after: z.string().min(1).optional().describe('A target on which the same migrations must have run before'),
  soak: duration.optional().describe('How long they must have been there; needs `after`'),
  current: argv.optional().describe('A command that prints the commit that is live now'),
  health: z.array(probe).default([]),
  onFailure: z.literal('keep').default('keep'),
  timezone: z.string().default('UTC'),
})

export const configSchema = z.strictObject({
  slack: z
    .strictObject({
      mode: z.enum(['socket', 'http']).default('socket'),
      port: z.int().min(0).max(65535).default(3000),
      host: z.string().default('0.0.0.0'),
      command: z
        .string()
        .regex(/^\/[a-z-]+$/)
        .default('/migrate'),
    })
    .prefault({}),
  store: z.strictObject({ url: secret.optional() }).prefault({}),
  evidence: z
    .strictObject({ key: secret.optional().describe('An Ed25519 private key in PEM; left out, one is made below var/evidence') })
    .prefault({}),
  targets: z
    .record(z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, 'a target is named with small letters, digits and dashes'), targetSchema)
    .refine((targets) => Object.keys(targets).length > 0, 'no target is configured'),
  freezes: z.array(freezeSchema).default([]).describe('Company holidays, ends of quarters: nothing starts'),
  digest: digestSchema.optional().describe('The windows of the week, in a channel'),
  morning: morningSchema
    .optional()
    .describe('What is merged and not live, changed by others or due, in the channel of each target. Left out: nothing is posted'),
  oncall: oncallSchema.optional().describe('Paged when a person is needed, a run fails or health is lost'),
  mail: mailSchema.optional(),
  calendar: calendarSchema.optional().describe('Serves the windows as an ICS feed'),
  people: z.record(z.string().regex(/^(os:.+|[UW][A-Z0-9]+)$/), z.string().regex(/^[UW][A-Z0-9]+$/)).default({}),
  operation: z
    .strictObject({
      port: z.int().min(0).max(65535).optional().describe('Serves /livez, /readyz and /metrics there; left out, nothing is served'),
      host: z.string().default('127.0.0.1').describe('Not an address that the public reaches: nobody is asked who he is'),
      traces: z.url().optional().describe('An OpenTelemetry collector (OTLP over HTTP), as OTEL_EXPORTER_OTLP_ENDPOINT'),
    })
    .prefault({}),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
})

export type ConfigFile = z.output<typeof configSchema>
export type TargetSettings = ConfigFile['targets'][string]
export type StepSettings = TargetSettings['deploy'][number]
/** What every configured command has in common. */
export type CommandSettings = Omit<StepSettings, 'repeatable'>
export type ProbeSettings = TargetSettings['health'][number]
