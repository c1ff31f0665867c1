/**
 * The ways in which a program may write a secret down without meaning to hide it: for a shell, a URL, a page, a log, a dump. For the
 * redactor alone. A form that would be shorter than `shortest` is left out.
 */
export function formsOf(secret: string, shortest: number): string[] {
  const bytes = Buffer.from(secret, 'utf8')
  const written = [
    secret,
    Array.from(secret).toReversed().join(''),
    ...percentForms(secret, bytes),
    ...jsonForms(secret),
    ...pageForms(secret),
    ...quotedForms(secret),
    ...byteForms(bytes),
    ...base64Forms(bytes),
    // printed with line breaks of its own, it is found like everything else that is split
    ...(secret.includes('\n') ? secret.split(/\r?\n/).filter((line) => line.length >= SURELY_SECRET && !line.startsWith('-----')) : []),
  ]
  return [...new Set(written)].filter((form) => form.length >= shortest)
}

/** A line of a key that is as long as this is no word that stands elsewhere too. */
const SURELY_SECRET = 24

/** As JavaScript's functions write it, as a strict one does (also ' ( ) * !), every byte, twice, each with capital and small digits, and with + for a space. */
function percentForms(secret: string, bytes: Buffer): string[] {
  const component = encodeURIComponent(secret.toWellFormed())
  const strict = component.replace(/['()*!]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  const every = eachByte(bytes, (byte) => `%${hex(byte).toUpperCase()}`).join('')
  const once = [component, strict, strict.replaceAll('%20', '+'), encodeURI(secret.toWellFormed()), every]
  return once
    .flatMap((form) => [form, form.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())])
    .flatMap((form) => [form, form.replaceAll('%', '%25')])
}

/** Also as JSON inside JSON (a log line about a row), with \/ as PHP writes it, and with \u for what a page or ASCII cannot hold. */
function jsonForms(secret: string): string[] {
  const json = inJson(secret)
  const ascii = escapedWhere(json, /[^ -~]/g)
  const forPages = escapedWhere(ascii, /[<>&'+]/g)
  const once = [json, ascii, escapedWhere(json, /[<>&]/g), forPages, escapedWhere(secret, /[^]/g), json.replaceAll('/', '\\/')]
  return once.flatMap((form) => [form, upperCodes(form)]).flatMap((form) => [form, inJson(form)])
}

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)
const escapedWhere = (text: string, which: RegExp): string =>
  text.replace(which, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
const upperCodes = (text: string): string => text.replace(/\\u[0-9a-f]{4}/g, (code) => `\\u${code.slice(2).toUpperCase()}`)

/** HTML and XML: the few characters that must be escaped, in the spellings of common libraries, or every one by its number. */
function pageForms(secret: string): string[] {
  // this one is also how text is escaped for Slack before it comes to the redactor
  const least = secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  const quoted = [least, least.replaceAll('"', '&quot;'), least.replaceAll('"', '&#34;')]
  const apostrophes = ["'", '&#39;', '&#x27;', '&#039;', '&apos;']
  const usual = quoted.flatMap((form) => apostrophes.map((one) => form.replaceAll("'", one)))
  const numbered = (write: (code: number) => string) => Array.from(secret, (char) => write(char.codePointAt(0) ?? 0)).join('')
  return [
    ...usual,
    ...usual.map((form) => form.replaceAll('/', '&#x2F;').replaceAll('`', '&#x60;').replaceAll('=', '&#x3D;')),
    numbered((code) => `&#${code};`),
    numbered((code) => `&#x${code.toString(16)};`),
    numbered((code) => `&#x${code.toString(16).toUpperCase()};`),
  ]
}

/** By SQL, by shells, by libpq, by mail (quoted-printable). */
function quotedForms(secret: string): string[] {
  return [
    secret.replaceAll("'", "''"),
    secret.replaceAll("'", `'\\''`),
    secret.replaceAll("'", `'"'"'`),
    secret.replace(/['\\]/g, '\\$&'),
    secret.replace(/["\\$`]/g, '\\$&'),
    secret.replace(/["\\$`!]/g, '\\$&'),
    secret.replace(/[^\w@%+=:,./-]/g, '\\$&'),
    secret.replace(/[^\w@%+:,./-]/g, '\\$&'),
    eachByte(Buffer.from(secret), (byte) => (byte === 61 || byte > 126 ? `=${hex(byte).toUpperCase()}` : String.fromCharCode(byte))).join(
      '',
    ),
  ]
}

/** Hexadecimal, and the numbers of a dump or of a Buffer in JSON. */
function byteForms(bytes: Buffer): string[] {
  const digits = eachByte(bytes, hex)
  const lists = [digits.join(''), digits.join(' '), digits.join(':'), digits.join('-'), `\\x${digits.join('\\x')}`, digits.join(', 0x')]
  const numbers = eachByte(bytes, String)
  return [
    ...lists,
    ...lists.map((form) => form.replace(/(?<!\\|0)[0-9a-f]/g, (digit) => digit.toUpperCase()).replaceAll('\\X', '\\x')),
    numbers.join(','),
    numbers.join(', '),
    numbers.join(' '),
  ]
}

const eachByte = (bytes: Buffer, write: (byte: number) => string): string[] => Array.from(bytes, (byte) => write(byte))
const hex = (byte: number): string => byte.toString(16).padStart(2, '0')

/** Base64 of a longer text that contains the secret: only the characters that the secret alone decides, for each alignment. */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const whole = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64')
    const from = offset === 0 ? 0 : offset + 1
    const remainder = (offset + bytes.length) % 3
    const to = remainder === 0 ? whole.length : whole.length - (remainder === 1 ? 3 : 2)
    const sure = whole.slice(from, Math.max(from, to))
    return [sure, sure.replaceAll('+', '-').replaceAll('/', '_'), sure.replaceAll('/', '\\/')]
  })
}
