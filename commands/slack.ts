import type { App, BlockAction, ViewSubmitAction } from '@slack/bolt'
import { decisionWindows, listenToButtons } from '../approvals/buttons/listen.ts'
import { clickedAt } from '../approvals/modals/click.ts'
import { noticeView } from '../approvals/modals/notice-modal.ts'
import { admit } from './admit.ts'
import type { Bolt } from './bolt.ts'
import { answerDeployForm, formUnknown } from './deploy-form.ts'
import { originIn, recordSafely, toAsker, type FormResponse, type ListenDeps } from './door.ts'
import { REQUEST_FORM } from './forms/deploy.ts'
import { answerSlashCommand } from './slash-command.ts'
import { clickedWindow, windowViews, submittedWindow, answerWindowCommand, type SlackDeps } from './windows/slack.ts'

export type Listening = Pick<Bolt, 'app' | 'start'> & {
  /** Takes nothing new and waits for what is being handled. */
  readonly stop: () => Promise<void>
}

/** Registers everything that people can do in Slack. */
export function listen(bolt: Pick<Bolt, 'app' | 'start'>, deps: ListenDeps): Listening {
  const { app, start } = bolt
  const inFlight = new Set<Promise<void>>()
  const handling = new Map<string, Promise<void>>()
  app.use(async (args) => {
    const handled = admit(deps, args, handling)
    const done = handled.then(
      () => {},
      () => {},
    )
    inFlight.add(done)
    try {
      await handled
    } finally {
      inFlight.delete(done)
    }
  })
  app.error(async (error) => deps.onFault(error))
  app.command(deps.command, (args) => answerSlashCommand(deps, args))
  app.view<ViewSubmitAction>(REQUEST_FORM, (args) => answerDeployForm(deps, args))
  // Slack would wait for an acknowledgement that nobody gives, and then say that something went wrong
  app.view({ callback_id: /^/, type: 'view_submission' }, async ({ body, view, ack }) => {
    if ([REQUEST_FORM, ...decisionWindows, ...windowViews].includes(view.callback_id)) return
    await recordSafely(deps, { actor: body.user.id, entry: 'modal', act: 'form', result: 'stale_button' })
    await (ack as unknown as (response: FormResponse) => Promise<void>)({ response_action: 'update', view: noticeView(formUnknown) })
  })
  app.event('app_home_opened', async ({ event }) => {
    if (event.tab === 'home') await deps.showHome(event.user)
  })
  listenToButtons(app, deps)
  listenToWindows(app, { ...deps.windows, slack: deps.slack })
  return {
    app,
    start,
    async stop() {
      await app.stop()
      while (inFlight.size > 0) await Promise.all(inFlight)
    },
  }
}

/** `/maintenance`, the buttons of announcements, and what they open. */
function listenToWindows(app: App, deps: SlackDeps): void {
  app.command(deps.maintenance, ({ command, ack, respond }) =>
    answerWindowCommand(deps, {
      text: command.text ?? '',
      trigger: command.trigger_id,
      asker: { account: command.user_id, entry: 'slash', origin: originIn(command.channel_id, command.channel_name) },
      ack: (text) => (text === '' ? ack() : ack(toAsker(text))),
      respond: async (text) => void (await respond({ ...toAsker(text), replace_original: false })),
    }),
  )
  app.action<BlockAction>({ type: 'block_actions', action_id: /^window_/ }, async ({ body, action, ack }) => {
    await ack()
    if (action.type !== 'button' || action.url !== undefined) return
    await clickedWindow(deps, { action: action.action_id, value: action.value ?? '', at: clickedAt(body) })
  })
  for (const callback of windowViews)
    app.view(callback, ({ body, view, ack }) =>
      submittedWindow(deps, {
        callback,
        metadata: view.private_metadata,
        values: view.state.values,
        user: body.user.id,
        viewId: view.id,
        // Bolt wants views of its own type, and ours are checked against Slack's limits where they are sent
        ack: ack as unknown as (response: unknown) => Promise<void>,
      }),
    )
}
