import { z } from 'zod'
import { approver, channel, duration, person, probe, secret, step } from './keys/basics.ts'

/** The keys of lockkeeper.yaml about time: windows, notices, freezes, maintenance mode, who is told and who stands by. */

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

const checklistItem = z.strictObject({
  text: z.string().min(1).max(150),
  owner: person.optional(),
  knows: z
    .enum(['backup', 'rehearsal', 'health'])
    .optional()
    .describe('Ticked by Lockkeeper itself when it knows: backup verified, health green. It makes no rehearsals yet, so people tick those'),
})

const checklist = z
  .strictObject({
    'T-48h': z.array(checklistItem).max(20).default([]),
    'T-1h': z.array(checklistItem).max(20).default([]),
    during: z.array(checklistItem).max(20).default([]),
    'T+2h': z.array(checklistItem).max(20).default([]),
  })
  .prefault({})

export const recurringWindow = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, 'is named with small letters, digits and dashes'),
  cron: z.string().min(1).describe('When it opens, five fields, in the zone of the target: "0 2 * * Tue"'),
  length: duration,
  reason: z.string().min(1).max(300),
  ahead: duration.default(14 * DAY_MS).describe('So long before it opens it is written down and announced'),
})

export const windowsSchema = z.strictObject({
  allow: z
    .string()
    .min(1)
    .optional()
    .describe('When runs may start: "Tue,Wed 02:00-04:00 America/New_York". Several are separated by semicolons. Left out: at any time'),
  maximum: duration.default(4 * HOUR_MS).describe('The longest window that may be scheduled'),
  holidays: z
    .string()
    .min(2)
    .optional()
    .describe('A country, or country and region (US, US-NY, DE-BY): no window opens on its public holidays'),
  manage: z.array(approver).min(1).optional().describe('Who may schedule and change windows; left out: whoever may ask for runs'),
  override: z
    .array(approver)
    .min(1)
    .optional()
    .describe('Who may start outside of windows and in a freeze, with a reason. Left out: nobody'),
  notices: z
    .array(duration)
    .max(12)
    .default([7 * DAY_MS, 48 * HOUR_MS, 24 * HOUR_MS, HOUR_MS])
    .describe('How long before a window people are told'),
  during: duration.default(900_000).describe('How often while it lasts'),
  recurring: z.array(recurringWindow).max(20).default([]),
  standby: z.boolean().default(false).describe('Whether a run that starts by itself needs a named person who has confirmed to stand by'),
  people: z.array(person).default([]).describe('Who is told of windows by a direct message'),
  mail: z.array(z.email()).default([]).describe('Who is told of windows by e-mail'),
  webhooks: z
    .array(z.strictObject({ url: secret, secret: secret.describe('Signs what is sent') }))
    .default([])
    .describe('Status pages and the like'),
  checklist,
})

/** A switch is set to a position, so it may be set again: both directions have to be repeatable, and nobody is asked whether they are. */
const switchStep = step.omit({ repeatable: true })

export const maintenanceModeSchema = z
  .strictObject({
    on: z.array(switchStep).min(1),
    off: z.array(switchStep).min(1),
    probe: probe.optional().describe('Answers with `expect` when maintenance mode is off'),
  })
  .describe('Maintenance mode: switched on before the migrations and off afterwards, whatever happens')

const freezeScope = {
  name: z.string().min(1).max(60),
  reason: z.string().min(1).max(300),
  targets: z.array(z.string()).min(1).optional().describe('Left out: all targets'),
  timezone: z.string().default('UTC'),
} as const

export const freezeSchema = z.union([
  z.strictObject({
    ...freezeScope,
    from: z.string().min(1).describe('2026-12-18 17:00, in the zone'),
    until: z.string().min(1),
  }),
  z.strictObject({
    ...freezeScope,
    cron: z.string().min(1).describe('When it begins, five fields: "0 0 28 3,6,9,12 *"'),
    length: duration,
  }),
])

export const digestSchema = z.strictObject({
  channel,
  cron: z.string().default('0 9 * * Mon'),
  timezone: z.string().default('UTC'),
})

export const morningSchema = z.strictObject({
  cron: z.string().default('0 8 * * Mon-Fri'),
  timezone: z.string().default('UTC'),
})

export const oncallSchema = z.strictObject({
  webhook: secret.describe('Where pages go, as JSON'),
  secret: secret.optional().describe('Signs what is sent'),
  every: duration.default(600_000).describe('Paged again after so long, until somebody acknowledges'),
  people: z.array(person).default([]).describe('Who is also told by a direct message'),
})

export const mailSchema = z.strictObject({
  url: secret.describe('smtp://user:password@host:587'),
  from: z.string().min(3).describe('Lockkeeper <lockkeeper@example.com>'),
})

export const calendarSchema = z.strictObject({
  port: z.int().min(0).max(65535),
  host: z.string().default('127.0.0.1'),
  token: secret
    .optional()
    .describe('Part of the address that calendars subscribe to; left out, the feed is open to whoever reaches the port'),
})
