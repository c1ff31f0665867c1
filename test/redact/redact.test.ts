import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRedactor, REDACTED, secretsOfRepository, secretsOfUrl } from '../../src/redact/redact.ts'

const secrets = fc
  .string({ minLength: 8, maxLength: 40, unit: 'grapheme' })
  .filter((text) => Buffer.from(text).length >= 8 && !text.includes('[') && !REDACTED.includes(text))

test('a secret is hidden raw, percent-encoded, in hex and inside JSON, wherever it stands', () => {
  fc.assert(
    fc.property(secrets, fc.string(), fc.string(), (secret, before, after) => {
      const { text } = createRedactor([secret])
      for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1), Buffer.from(secret).toString('hex')])
        expect(text(`${before}${form}${after}`)).not.toContain(form)
    }),
  )
})

test('a secret inside base64 of a longer text is hidden at each alignment', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 12, maxLength: 40 }), fc.nat(5), fc.nat(5), (secret, before, after) => {
      const encoded = Buffer.from('x'.repeat(before) + secret + 'y'.repeat(after)).toString('base64')
      const shown = createRedactor([secret]).text(encoded)
      expect(shown).toContain(REDACTED)
      expect(Buffer.from(shown.replace(REDACTED, ''), 'base64').toString()).not.toContain(secret)
    }),
  )
})

test('a secret split across any pieces of a stream is still hidden, and nothing else is lost', () => {
  fc.assert(
    fc.property(secrets, fc.array(fc.nat(12), { maxLength: 12 }), (secret, cuts) => {
      const whole = `before ${secret} between ${secret}`
      const stream = createRedactor([secret]).stream()
      let out = ''
      let at = 0
      for (const cut of cuts) {
        out += stream.write(whole.slice(at, at + cut))
        at += cut
      }
      out += stream.write(whole.slice(at)) + stream.end()
      expect(out).toBe(createRedactor([secret]).text(whole))
    }),
  )
})

test('the password of a URL is a secret as written and as meant', () => {
  expect(secretsOfUrl('postgresql://app:p%40ss%3Aword@db:5432/shop?schema=public')).toEqual([
    'postgresql://app:p%40ss%3Aword@db:5432/shop?schema=public',
    'p%40ss%3Aword',
    'p@ss:word',
  ])
})

test.each([
  ['postgres://app:canary-one@/shop?host=/cloudsql/a:b:c', ['canary-one']],
  ['postgres://app:canary@one@db/shop', ['canary@one', 'canary']],
  ['postgres://app:canary#one@db/shop', ['canary#one']],
  ['postgres://app:canary/one@db/shop', ['canary/one']],
  ['postgres:///shop?user=app&password=canary%20one', ['canary%20one', 'canary one']],
  ["host=db user=app password='canary-one' dbname=shop", ['canary-one']],
  ['postgres://app@db/shop?pwd=canary-one', ['canary-one']],
  ['postgres://app@db/shop?schema=a&oauth_client_secret=canary-one', ['canary-one']],
  ['prisma+postgres://localhost:51213/?api_key=canary-one', ['canary-one']],
  ['postgres://app:canary-one@db/shop\n', ['postgres://app:canary-one@db/shop', 'canary-one']],
])('so is the password in what is no URL to every parser: %s', (url, secrets) => {
  expect(secretsOfUrl(url)).toEqual([url, ...secrets])
})

test('words shorter than a secret can be are left alone', () => {
  expect(createRedactor(['prod']).text('deploy prod')).toBe('deploy prod')
})

test('a secret is hidden as Prisma, a form, SQL, a shell, Slack and JSON inside JSON write it', () => {
  const secret = `Ge'heim!(1) & <zwei>*"drei"/\\`
  const { text } = createRedactor([secret])
  const strict = encodeURIComponent(secret).replace(/['()*!]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  const json = (value: string) => JSON.stringify(value).slice(1, -1)
  for (const form of [
    strict,
    strict.toLowerCase().replace('ge%27heim', 'Ge%27heim'),
    strict.replaceAll('%20', '+'),
    secret.replaceAll("'", "''"),
    secret.replaceAll("'", `'\\''`),
    secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
    json(json(secret)),
    Buffer.from(secret).toString('hex').toUpperCase(),
  ])
    expect(text(`before ${form} after`)).toBe('before [redacted] after')
})

test('the login of a repository is a secret, with the user where that alone is the token', () => {
  expect(secretsOfRepository('https://bot:to%2Fken-1@git.example/shop.git')).toEqual(['to%2Fken-1', 'to/ken-1'])
  expect(secretsOfRepository('https://ghp_token@git.example/shop.git')).toEqual(['ghp_token', 'ghp_token'])
  expect(secretsOfRepository('https://ghp_token:x-oauth-basic@git.example/shop.git')).toEqual([
    'x-oauth-basic',
    'ghp_token',
    'x-oauth-basic',
    'ghp_token',
  ])
  for (const none of ['/srv/shop.git', 'git@git.example:shop.git', 'ssh://git@git.example/shop.git', 'https://git.example/shop.git'])
    expect(secretsOfRepository(none)).toEqual([])
})

/** As programs write it down that do not mean to hide it. */
const spellings: Readonly<Record<string, (secret: string) => string>> = {
  reversed: (secret) => Array.from(secret).toReversed().join(''),
  'base64, first alignment': (secret) => Buffer.from(secret).toString('base64'),
  'base64, second alignment': (secret) => Buffer.from(`x${secret}`).toString('base64'),
  'base64, third alignment': (secret) => Buffer.from(`xy${secret}`).toString('base64'),
  base64url: (secret) => Buffer.from(secret).toString('base64url'),
  hex: (secret) => Buffer.from(secret).toString('hex'),
  'capital hex': (secret) => Buffer.from(secret).toString('hex').toUpperCase(),
  'a Buffer': (secret) =>
    Buffer.from(secret)
      .toString('hex')
      .replace(/..(?=.)/g, '$& '),
  'a Buffer in JSON': (secret) => JSON.stringify(Buffer.from(secret)),
  'a Buffer in JSON over lines': (secret) => JSON.stringify(Buffer.from(secret), null, 2),
  'bytes of a shell': (secret) => Buffer.from(secret).toString('hex').replace(/../g, '\\x$&'),
  'each byte in percent': (secret) => Buffer.from(secret).toString('hex').replace(/../g, '%$&'),
  'percent twice': (secret) => encodeURIComponent(encodeURIComponent(secret)),
  'entities by number': (secret) => Array.from(secret, (char) => `&#${char.codePointAt(0)};`).join(''),
  'entities by name': (secret) =>
    secret.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;'),
  'JSON for a page': (secret) =>
    JSON.stringify(secret)
      .slice(1, -1)
      .replace(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`),
  'each unit by \\u': (secret) => secret.replace(/[^]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
  'printf %q': (secret) => secret.replace(/[^\w@%+=:,./-]/g, '\\$&'),
}

test('a secret is hidden in each way in which programs spell it, and nothing beside it', () => {
  const secret = `Ge'heim!(1)?&<zwei>*"drei"/\\+üß 4711`
  const { text } = createRedactor([secret])
  const left = Object.entries(spellings).map(([name, spell]) => [name, text(`before ${spell(secret)} after`)] as const)
  for (const [name, shown] of left) {
    expect.soft(shown, name).toMatch(/^before .{0,5}/)
    expect.soft(shown, name).toContain(REDACTED)
    // of base64 up to two characters at each end belong to what stands beside it too; a Buffer in JSON has words of its own
    expect
      .soft(shown.replace(REDACTED, '').length, name)
      .toBeLessThanOrEqual('before  after'.length + (name.startsWith('a Buffer in') ? 60 : 8))
  }
})

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!()&<>%/@+='
const plainSecrets = fc.string({ minLength: 16, maxLength: 60, unit: fc.constantFrom(...Array.from(letters)) })
const prefixes = fc.constantFrom('', '  ', '\t', '[app] ', 'app_1  | ', '2026-11-20T23:15:07.123Z INFO ', '# ', '> ')

test('a secret that is broken over lines is hidden, whatever their width, with the prefixes of a log, in any pieces of a stream', () => {
  fc.assert(
    fc.property(
      plainSecrets,
      fc.constantFrom(...Object.values(spellings).filter((spell) => !spell(' ').includes('\n'))),
      fc.integer({ min: 8, max: 40 }),
      prefixes,
      fc.constantFrom('\n', '\r\n', '\\\n'),
      fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 20 }),
      (secret, spell, width, prefix, end, cuts) => {
        const spelled = spell(secret)
        const lines = spelled.match(new RegExp(`[^]{1,${width}}`, 'g')) ?? []
        const whole = [`the secret follows`, ...lines, '§ and that was it'].map((line) => prefix + line).join(end)
        const redactor = createRedactor([secret])
        expect(redactor.text(whole)).toContain(REDACTED)
        const stream = redactor.stream()
        let out = ''
        let at = 0
        for (const cut of cuts) {
          out += stream.write(whole.slice(at, at + cut))
          at += cut
        }
        out += stream.write(whole.slice(at)) + stream.end()
        expect(out).toContain(REDACTED)
        expect(out).toContain('the secret follows')
        expect(out).toContain('§ and that was it')
      },
    ),
  )
})

test('what was given out before enough of a secret stood there to wait for it still tells where the secret began', () => {
  const secret = 'aaaaaaaaaaaaaaaa'
  const stream = createRedactor([secret]).stream()
  const pieces = ['{"type":"Buffer","data":[9\n', '7,97,97,97,97,97,97,97,97,\n97,97,97,97,97,97,97]}\n']
  expect(pieces.map((piece) => stream.write(piece)).join('') + stream.end()).toBe('{"type":"Buffer","data":[9\n[redacted]]}\n')
  const slowly = createRedactor([secret]).stream()
  const letters = 'the\na\na\naaaaaa\naaaaaaaa\nend'
  expect(Array.from(letters, (letter) => slowly.write(letter)).join('') + slowly.end()).toMatch(/^the\na\na\na{0,3}\[redacted\]\nend$/)
})

test('a secret whose lines look alike is not taken for the prefix of a log', () => {
  const lines = ['[app] the secret follows', '[app] 61 61 61 61 61 61 61 61 ', '[app] 61 61 61 61 61 61 61 61', '[app] and that was it']
  expect(createRedactor(['aaaaaaaaaaaaaaaa']).text(lines.join('\n'))).toBe(
    '[app] the secret follows\n[app] [redacted]\n[app] and that was it',
  )
})

test('ordinary output is left alone, to the byte', () => {
  const words = [
    'deploy',
    'migration',
    'orders',
    'password',
    'postgresql',
    'localhost',
    'the',
    'of',
    '2026',
    'INFO',
    'a1b2c3',
    '[app]',
    '|',
    '\n',
    '\n  ',
  ]
  fc.assert(
    fc.property(
      fc.array(plainSecrets, { minLength: 1, maxLength: 8 }),
      fc.array(fc.constantFrom(...words), { maxLength: 200 }),
      (known, said) => {
        const text = said.join(' ')
        const redactor = createRedactor(known)
        expect(redactor.text(text)).toBe(text)
        const stream = redactor.stream()
        expect(stream.write(text) + stream.end()).toBe(text)
      },
    ),
  )
})

test('a line that is complete is given at once unless a secret may go on in the next one', () => {
  const stream = createRedactor(['Zaunkoenig-4711']).stream()
  expect(stream.write('waiting for Z\n')).toBe('waiting for Z\n')
  expect(stream.write('the bird is a Zaunko\n')).toBe('the bird is a ')
  expect(stream.write('and sings\n')).toBe('Zaunko\nand sings\n')
})
