import ms, { type StringValue } from 'ms'
import { z } from 'zod'

/** The small values that several parts of lockkeeper.yaml are made of. */

/** Milliseconds, written as people write them: `2s`, `15m`, `4h`. */
export const duration = z
  .string()
  .transform((text, context) => {
    const value = /^\d/.test(text) ? ms(text as StringValue) : undefined
    if (value !== undefined && Number.isFinite(value) && value > 0) return value
    context.addIssue({ code: 'custom', message: `"${text}" is not a duration; write for example 2s, 15m or 4h` })
    return z.NEVER
  })
  .describe('A duration such as 2s, 15m or 4h')

/** `env:NAME` or `file:/path`: where a secret is, never the secret. */
export const secret = z
  .string()
  .regex(/^(env:[A-Za-z_][A-Za-z0-9_]*|file:\/.+)$/, 'must be env:NAME or file:/path, since secrets do not belong in this file')

/** Whether a variable of a step is a secret that stands elsewhere. */
export const isReference = (value: string): boolean => secret.safeParse(value).success

export const approver = z.string().regex(/^(user:[UW][A-Z0-9]+|group:S[A-Z0-9]+)$/, 'must be user:U… or group:S…')
export const person = z.string().regex(/^user:[UW][A-Z0-9]+$/, 'must be user:U…')
export const channel = z
  .string()
  .regex(/^[CG][A-Z0-9]+$/, 'must be a channel id such as C0123456789 (open the channel details in Slack to copy it)')
export const argv = z.array(z.string().min(1)).min(1)

export const step = z.strictObject({
  name: z.string().min(1).max(60).optional(),
  run: argv,
  cwd: z.string().optional().describe("Default: the application's directory in the run's own checkout of the approved commit"),
  env: z.record(z.string(), z.string()).default({}).describe('Values, or references (env:NAME, file:/path) to secrets'),
  timeout: duration.default(600_000),
  database: z.boolean().default(false).describe('Whether the step sees the database URLs'),
  shell: z.boolean().default(false).describe('Runs the joined arguments through a shell'),
  repeatable: z
    .boolean()
    .default(false)
    .describe('Whether it may run a second time when Lockkeeper was interrupted in the middle of it; otherwise a person decides'),
})

export const probe = z.strictObject({
  http: z.url(),
  expect: z.int().min(100).max(599).default(200),
  within: duration.default(60_000),
})

const UNITS = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 } as const

/** Bytes, written as people write them: `100 MB`, `1GB`; decimal, as messages count. */
export const size = z
  .string()
  .transform((text, context) => {
    const [, number, unit] = /^(\d+(?:\.\d+)?) ?(B|kB|MB|GB|TB)$/.exec(text) ?? []
    const factor = Object.entries(UNITS).find(([name]) => name === unit)?.[1]
    if (number !== undefined && factor !== undefined) return Math.round(Number(number) * factor)
    context.addIssue({ code: 'custom', message: `"${text}" is not a size; write for example 100 MB, 1 GB or 2.5 TB` })
    return z.NEVER
  })
  .describe('A size such as 100 MB or 1 GB')
