import { escapeMarkup } from './escape.ts'

/** A name set as code. A backtick inside would end it, so it becomes an ordinary quote. */
export const code = (text: string): string => `\`${escapeMarkup(text).replaceAll('`', "'").replace(/\s+/g, ' ')}\``

/** A word of a command that people copy into a shell. */
export const inShell = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)
