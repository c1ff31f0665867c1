import type { Log } from '../../lib/log.ts'
import { createCaller } from './client.ts'
import type { Sent } from '../port.ts'

/** What only an operator asks of Slack: never while a run is carried. */

/** Whether the app-level token opens connections. The address that Slack answers with is not used, and lapses. */
export const tryAppToken = (options: { readonly appToken: string; readonly log: Log; readonly apiUrl?: string }): Promise<Sent<null>> =>
  createCaller({ botToken: options.appToken, log: options.log, ...(options.apiUrl === undefined ? {} : { apiUrl: options.apiUrl }) })(
    'apps.connections.open',
  )
