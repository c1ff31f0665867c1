/** Text from outside inside Slack mrkdwn: nothing in it can mention, link or format. */
export const escapeMrkdwn = (text: string): string => visible(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** A name set as code. A backtick inside would end it, so it becomes an ordinary quote. */
export const code = (text: string): string => `\`${escapeMrkdwn(text).replaceAll('`', "'").replace(/\s+/g, ' ')}\``

/** Without control characters (but for line ends and tabs) and without bidirectional overrides, which could make a text read as another. */
export const visible = (text: string): string => text.replace(UNSEEN, '')

// oxlint-disable-next-line no-control-regex -- control characters are what it removes
const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g
