import { code } from '../lib/text/code.ts'
import { quoted } from '../lib/text/quoted.ts'
import { readScript } from './parse.ts'
import { outsideOfBlock, standsAlone } from './transactions.ts'
import { unquotedPieces, type Piece } from './unquoted.ts'

/**
 * Why a migration can never be applied, or would be stored otherwise than it was written: which file, which line, why, and how to mend it;
 * null when nothing is known against it. `oneScript`: Prisma is certain to send a file as one script.
 */
export async function whyUnrunnable(path: string, content: Buffer, oneScript: boolean): Promise<string | null> {
  const wrongBytes = whyUnreadable(path, content)
  if (wrongBytes !== null) return wrongBytes
  const sql = content.toString('utf8')
  const pieces = [...unquotedPieces(sql)]
  const at = (offset: number) => placeIn(path, sql.slice(0, offset))
  const known = copyFromClient(pieces, at) ?? commandOfPsql(sql, pieces, at) ?? conflict(sql, pieces, at)
  if (known !== null) return known
  const script = await readScript(content)
  // a name may hold such a character; that the parser fails as well makes it certain that none was meant
  if (script.kind === 'unreadable') return pasted(pieces, at)
  if (!oneScript) return null
  const starts = startsOf(pieces)
  /** Where a statement is, and how it reads. */
  const shown = (index: number) => {
    // a body in SQL (BEGIN ATOMIC) holds semicolons of its own
    const first = starts.length === script.statements.length ? starts[index] : undefined
    const words =
      first === undefined
        ? 'a statement'
        : quoted(
            sql
              .slice(first.at)
              .split(/[;('$]|\s--/)[0]
              ?.trim() ?? '',
            80,
          )
    return `${first === undefined ? quoted(path) : at(first.at)}: ${words}`
  }
  const alone = script.statements.length < 2 ? -1 : script.statements.findIndex(standsAlone)
  if (alone !== -1) return amongOthers(shown(alone))
  const outside = outsideOfBlock(script.statements)
  return outside === -1 ? null : withoutBlock(shown(outside), script.statements.length === 1)
}

/**
 * A file that the server's own parser does not take, whatever ours says of it. `isReadable`: ours, of a newer PostgreSQL, does. `message` and
 * `at` (characters before the place, null at the end) are the server's.
 */
export function whyRefusedByServer(
  path: string,
  content: Buffer,
  { version, isReadable, message, code: state, at }: RefusedByServer,
): string {
  const mend = isReadable ? 'A newer PostgreSQL reads it. Write it as this one does, or upgrade the server,' : 'Correct it'
  const before = Array.from(content.toString('utf8')).slice(0, at ?? undefined)
  return `${placeIn(path, before.join(''))}: the server (PostgreSQL ${version}) cannot read the file: ${quoted(message, 120)} (${state}). ${mend} and ask again.`
}

type RefusedByServer = {
  readonly version: string
  readonly isReadable: boolean
  readonly message: string
  readonly code: string
  readonly at: number | null
}

type Place = (offset: number) => string

function whyUnreadable(path: string, content: Buffer): string | null {
  const start = content.subarray(0, 2).toString('latin1')
  if (start === '\xff\xfe' || start === '\xfe\xff')
    return `${placeIn(path, '')}: the file is UTF-16, and a migration is read as UTF-8. ${saveAs('UTF-16')}`
  const text = content.toString('utf8')
  const invalid = firstDifference(content, Buffer.from(text))
  if (invalid !== null) {
    const byte = content.readUInt8(invalid)
    const letter = new TextDecoder('windows-1252').decode(content.subarray(invalid, invalid + 1))
    const meant = byte >= 0xa0 ? `, which is ${quoted(letter)} in Latin-1,` : ''
    return `${placeIn(path, content.subarray(0, invalid).toString('utf8'))}: the byte ${hex(byte)}${meant} is no UTF-8. A replacement character (\ufffd) would take its place and be stored. ${saveAs('WINDOWS-1252')}`
  }
  if (text.startsWith('\ufeff'))
    return `${placeIn(path, '')}: the file begins with a byte order mark, which PostgreSQL takes for a part of the first word and refuses (42601). Save it as UTF-8 without one and ask again.`
  const nul = text.indexOf('\0')
  if (nul === -1) return null
  return `${placeIn(path, text.slice(0, nul))}: the file holds a NUL character, which PostgreSQL refuses. Remove it and ask again.`
}

function copyFromClient(pieces: readonly Piece[], at: Place): string | null {
  let copy: Piece | null = null
  for (const [index, piece] of pieces.entries()) {
    if (beginsStatement(pieces, index)) copy = isWord(piece, 'copy') ? piece : null
    if (piece.text === '\\') return null // a command of psql comes first
    if (copy !== null && isWord(piece, 'stdin') && isWord(pieces[index - 1], 'from'))
      return `${at(copy.at)}: ${code('COPY … FROM stdin')} takes its rows from psql; nobody sends any here, so it fails (57014 or 08P01). Write the rows as ${code('INSERT … VALUES')} (${code('pg_dump --inserts')} writes them so), or load them outside of the migration, and ask again.`
  }
  return null
}

/** SQL has no backslash outside of quotes. */
function commandOfPsql(sql: string, pieces: readonly Piece[], at: Place): string | null {
  const found = pieces.find(({ text }) => text === '\\')
  if (found === undefined) return psqlVariable(sql, pieces, at)
  const command = /^\\(?:[a-z_+?!]+|\S?)/i.exec(sql.slice(found.at))?.[0] ?? '\\'
  const mend =
    Object.entries(INSTEAD).find(([, names]) => names.includes(command.slice(1).toLowerCase()))?.[0] ?? 'Write it in SQL, or remove it,'
  return `${at(found.at)}: ${quoted(command)} is a command of psql, which PostgreSQL refuses (42601): a migration goes to the server as it is. ${mend} and ask again.`
}

const INSTEAD: Readonly<Record<string, readonly string[]>> = {
  'Put the SQL of the other file here': ['i', 'ir', 'include', 'include_relative'],
  'Write the rows as `INSERT … VALUES`, or load them outside of the migration,': ['copy', '.'],
  'Remove it (the database is the one of the URL)': ['c', 'connect'],
  'Remove it (pg_dump writes it for psql alone)': ['restrict', 'unrestrict'],
  'Remove it (a migration stops at its first error anyway)': ['set', 'unset'],
}

/** `:'name'` and `:"name"`; in brackets it could be the upper bound of a slice. */
function psqlVariable(sql: string, pieces: readonly Piece[], at: Place): string | null {
  let brackets = 0
  for (const { text, at: offset } of pieces) {
    if (text === '[') brackets++
    if (text === ']') brackets--
    const name = text === ':' && brackets === 0 && sql.charAt(offset - 1) !== ':' ? /^:(['"])\w+\1/.exec(sql.slice(offset))?.[0] : undefined
    if (name !== undefined)
      return `${at(offset)}: ${quoted(name)} is a variable of psql, which PostgreSQL refuses (42601): a migration goes to the server as it is. Write its value and ask again.`
  }
  return null
}

function conflict(sql: string, pieces: readonly Piece[], at: Place): string | null {
  const mark = pieces.find(
    ({ text, at: offset }) =>
      (text === '<' || text === '>') && /^(<{7}|>{7}) /.test(sql.slice(offset, offset + 8)) && isLineStart(sql, offset),
  )
  if (mark === undefined) return null
  return `${at(mark.at)}: a merge was committed with its conflict markers (${quoted(sql.slice(mark.at, mark.at + 7))}). Resolve it and ask again.`
}

function pasted(pieces: readonly Piece[], at: Place): string | null {
  const found = pieces.find(({ text }) => /^[\u00a0\u2000-\u200f\u2018-\u201f\u2028\u2029\u202f\u2060\u3000\ufeff]$/.test(text))
  if (found === undefined) return null
  const number = `U+${(found.text.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
  const isQuote = /[\u2018-\u201f]/.test(found.text)
  return `${at(found.at)}: ${isQuote ? `the quotation mark ${quoted(found.text)} (${number}) is typographic` : `the character ${number} looks like a space or like nothing`}, and PostgreSQL takes it for a letter, so the file cannot be read as SQL (42601). Type ${isQuote ? 'a straight one (`\'` or `"`)' : 'a plain space or nothing'} in its place and ask again.`
}

const amongOthers = (shown: string): string =>
  `${shown} cannot run inside a transaction, and a file with several statements is one (25001). Put it alone into a migration of its own, without so much as a ${code('SET')} before it, and ask again.`

const withoutBlock = (shown: string, isAlone: boolean): string =>
  `${shown} needs a transaction block, and there is none (25P01). ${isAlone ? 'Alone it has no effect: remove it, or put it into the file that needs it,' : `Remove it, or put ${code('BEGIN;')} before it and ${code('COMMIT;')} behind what belongs to it,`} and ask again.`

/** The first piece of every statement that is not empty. */
const startsOf = (pieces: readonly Piece[]): readonly Piece[] =>
  pieces.filter(({ text }, index) => text !== ';' && beginsStatement(pieces, index))

const beginsStatement = (pieces: readonly Piece[], index: number) => index === 0 || pieces[index - 1]?.text === ';'
const isWord = (piece: Piece | undefined, word: string) => piece?.text.toLowerCase() === word
const isLineStart = (sql: string, offset: number) => offset === 0 || sql.charAt(offset - 1) === '\n'

/** `before` is the text up to the place. */
function placeIn(path: string, before: string): string {
  const lines = before.split('\n')
  return `${quoted(path)}, line ${lines.length}, column ${Array.from(lines.at(-1) ?? '').length + 1}`
}

const hex = (byte: number) => byte.toString(16).toUpperCase().padStart(2, '0')

function firstDifference(a: Buffer, b: Buffer): number | null {
  if (a.equals(b)) return null
  const at = a.findIndex((byte, index) => byte !== b[index])
  return at === -1 ? a.length - 1 : at
}

const saveAs = (from: string) => `Save it as UTF-8 (in an editor, or with ${code(`iconv -f ${from} -t UTF-8`)}) and ask again.`
