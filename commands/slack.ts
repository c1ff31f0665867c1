import type { App, BlockAction, ViewSubmitAction } from '@slack/bolt'
import { decisionWindows, listenToButtons } from '../approvals/buttons/listen.ts'
import { clickedAt } from '../approvals/modals/click.ts'
import { workingView } from '../approvals/modals/notice-modal.ts'
import { answeringIn, formIn } from '../src/slack/answers/answering.ts'
import { admit, type Handling } from './admit.ts'
import type { Bolt } from './bolt.ts'
import { ACT_MS, originIn, recordSafely, type ListenDeps } from './door.ts'
import { answerDeployForm, formUnknown, noticeEnd } from './deploy-form.ts'
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
  const handling: Handling = new Map()
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
  app.view({ callback_id: /^/, type: 'view_submission' }, async ({ body, view, context }) => {
    if ([REQUEST_FORM, ...decisionWindows, ...windowViews].includes(view.callback_id)) return
    await recordSafely(deps, { actor: body.user.id, entry: 'modal', act: 'form', result: 'stale_button' })
    await formIn(context).answer(Promise.resolve(noticeEnd(formUnknown)), ACT_MS, workingView(formUnknown))
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
  app.command(deps.maintenance, ({ command, context }) =>
    answerWindowCommand(deps, {
      text: command.text ?? '',
      trigger: command.trigger_id,
      asker: { account: command.user_id, entry: 'slash', origin: originIn(command.channel_id, command.channel_name) },
      answering: answeringIn(context),
    }),
  )
  app.action<BlockAction>({ type: 'block_actions', action_id: /^window_/ }, async ({ body, action, context }) => {
    if (action.type !== 'button' || action.url !== undefined) return
    await clickedWindow(deps, { action: action.action_id, value: action.value ?? '', at: clickedAt(body), answering: answeringIn(context) })
  })
  for (const callback of windowViews)
    app.view(callback, ({ body, view, context }) =>
      submittedWindow(deps, {
        callback,
        metadata: view.private_metadata,
        values: view.state.values,
        user: body.user.id,
        form: formIn(context),
      }),
    )
}
