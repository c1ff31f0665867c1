export type MessageAddress = { readonly channel: string; readonly ts: string; readonly threadTs: string | null }

/** The message that a permalink of this workspace names, such as `/archives/C0DEPLOYS/p1795165200000100?thread_ts=1795165100.000200`. */
export function parsePermalink(address: string, origin: string): MessageAddress | null {
  const url = URL.parse(address, origin)
  if (url === null || url.origin !== origin) return null
  const [, channel, digits] = /^\/archives\/([CDG]\w+)\/p(\d{7,})$/.exec(url.pathname) ?? []
  if (channel === undefined || digits === undefined) return null
  const ts = `${digits.slice(0, -6)}.${digits.slice(-6)}`
  const threadTs = url.searchParams.get('thread_ts')
  return { channel, ts, threadTs: threadTs === ts ? null : threadTs }
}
