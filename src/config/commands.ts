import type { ConfigFile } from './schema.ts'

/** As they are typed where the sentences are read, for sentences that name them. */
export type Commands = { readonly migrate: string; readonly maintenance: string }

export const slackCommands = ({ slack }: ConfigFile): Commands => ({ migrate: slack.command, maintenance: '/maintenance' })
