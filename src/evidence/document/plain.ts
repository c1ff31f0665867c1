/** mrkdwn of the store as plain text: links, mentions and dates spelled out, entities undone. Times become ISO 8601 in UTC. */
export const plainText = (mrkdwn: string): string =>
  mrkdwn
    .replace(/<!date\^(\d{1,12})\^[^<>]*>/g, (_, seconds: string) => utc(new Date(Number(seconds) * 1000)))
    .replace(/<!subteam\^([A-Z0-9]+)(?:\|([^<>]*))?>/g, (_, id: string, label?: string) => label ?? `group ${id}`)
    .replace(/<@([A-Z0-9]+)(?:\|[^<>]*)?>/g, '$1')
    .replace(/<#([A-Z0-9]+)(?:\|[^<>]*)?>/g, '$1')
    .replace(/<(https?:[^|<>]+)\|([^<>]*)>/g, '$2 ($1)')
    .replace(/<(https?:[^<>]+)>/g, '$1')
    .replace(/\*([^*\n]+)\*/g, '$1')
    .replace(/`([^`\n]+)`/g, '$1')
    .replaceAll('\u2060', '') // put there to keep Slack from reading a meaning into text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')

/** `2026-11-20 21:54:35 UTC` */
export const utc = (date: Date): string => `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`
