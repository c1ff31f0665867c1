/** Where somebody clicked: a message, a window that is open, or Home. */
export type Click = {
  readonly account: string
  /** Opens a window, for 3 s. */
  readonly trigger: string
  readonly channel: string | undefined
  /** Of a message in a thread. */
  readonly thread: string | undefined
  readonly viewId: string | undefined
}

/** As Slack sends a click. */
type Body = {
  readonly user: { readonly id: string }
  readonly trigger_id: string
  readonly channel?: { readonly id: string }
  readonly message?: { readonly ts?: unknown; readonly thread_ts?: unknown }
  readonly view?: { readonly type: string; readonly id: string }
}

export function clickedAt({ user, trigger_id, channel, message, view }: Body): Click {
  const thread = message?.thread_ts
  return {
    account: user.id,
    trigger: trigger_id,
    channel: channel?.id,
    thread: typeof thread === 'string' && thread !== message?.ts ? thread : undefined,
    viewId: view?.type === 'modal' ? view.id : undefined,
  }
}
