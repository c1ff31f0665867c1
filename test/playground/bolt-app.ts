import { App, LogLevel, SocketModeReceiver } from '@slack/bolt'
import { WebClient, type WebClientOptions } from '@slack/web-api'
import { startWorkspace, type Workspace, type WorkspaceOptions } from '../../playground/server/workspace.ts'

/** Quiet real clients against the workspace. */
export const clientOf = (workspace: Workspace, token: string = workspace.tokens.bot, options: WebClientOptions = {}): WebClient =>
  new WebClient(token, {
    slackApiUrl: workspace.apiUrl,
    logLevel: LogLevel.ERROR,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logger: silent,
    ...options,
  })

const nothing = (): void => undefined
export const silent = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  setLevel: nothing,
  getLevel: () => LogLevel.ERROR,
  setName: nothing,
}

export type Playground = { readonly workspace: Workspace; readonly app: App; readonly close: () => Promise<void> }

/** A workspace and a Bolt app that is connected to it over Socket Mode. */
export async function connectedApp(options: WorkspaceOptions = {}, register: (app: App) => void = nothing): Promise<Playground> {
  const workspace = await startWorkspace(options)
  const app = new App({
    token: workspace.tokens.bot,
    receiver: new SocketModeReceiver({
      appToken: workspace.tokens.app,
      logger: silent,
      installerOptions: { clientOptions: { slackApiUrl: workspace.apiUrl } },
    }),
    clientOptions: { slackApiUrl: workspace.apiUrl },
    logger: silent,
  })
  register(app)
  await app.start()
  return {
    workspace,
    app,
    close: async () => {
      await app.stop()
      await workspace.close()
    },
  }
}
