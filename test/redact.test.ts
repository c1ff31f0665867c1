import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRedactor, REDACTED, secretsOfRepository, secretsOfUrl } from '../src/redact.ts'

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
