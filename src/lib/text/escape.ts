import { replaceInvisible } from './invisible.ts'

/**
 * Text from outside, made harmless: the one place that knows what Slack reads a meaning into (what is invisible: invisible.ts). Everything that comes
 * from outside passes `escapeText`, `escapeMarkup` or `plainText` before it is shown.
 */

/** For mrkdwn. Nothing in it can be markup that mentions, links or leaves a code block; line breaks stay. */
export function escapeText(text: string): string {
  return breakTokens(escapeMarkup(text))
}

/** For mrkdwn that is escaped a second time where it is drawn (`cleanMrkdwn`), and for code: markup without a meaning, all else as it is. */
export const escapeMarkup = (text: string): string => escapeBrackets(plainText(text))

/** The three characters that Slack's markup is made of. */
export const escapeBrackets = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** For places without markup (headers, tables, output): no control or bidirectional characters; line breaks and tabs stay, and what emoji and scripts need. */
export function plainText(text: string): string {
  return replaceInvisible(text.toWellFormed().replace(/\r\n?/g, '\n'), () => '')
}

/** Mentions without brackets, code fences, and `02:00:` which would be an emoji. */
export const breakTokens = (text: string): string =>
  text
    .replace(/@(?=channel|here|everyone)/gi, `@${JOINER}`)
    .replace(/`(?=`)/g, `\`${JOINER}`)
    .replace(/:(\d+)(?=:)/g, `:$1${JOINER}`)

/** What somebody copied out of a message, as it was before `breakTokens`. */
export const joinTokens = (text: string): string =>
  text.replace(/(?<=@)\u2060(?=channel|here|everyone)|(?<=`)\u2060(?=`)|(?<=:\d+)\u2060(?=:)/gi, '')

// put where Slack would otherwise read a meaning into text; people do not see it
const JOINER = '\u2060'
