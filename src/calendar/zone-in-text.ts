/** A name with a slash, or UTC, wherever it stands; undefined when there are two. */
export function splitZone(
  text: string,
  own: string,
): { readonly clock: string; readonly zone: string; readonly isNamed: boolean } | undefined {
  const iso = /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s?Z$/i.exec(text)
  if (iso?.[1] !== undefined) return { clock: iso[1], zone: 'UTC', isNamed: true }
  const plain = text.replace(/(\d:\d\d)\s?Z(?=[\s,]|$)/i, '$1 UTC')
  const [first, second] = plain.matchAll(ZONE)
  if (second !== undefined) return undefined
  if (first === undefined) return { clock: withOffsetLast(plain), zone: own, isNamed: false }
  const [all, zone = ''] = first
  const clock = `${plain.slice(0, first.index)} ${plain.slice(first.index + all.length)}`.replace(/\s+/g, ' ').trim()
  return { clock, zone: /^(utc|gmt|zulu)$/i.test(zone) ? 'UTC' : zoneAsNamed(zone), isNamed: true }
}

const ZONE = /(?<![^\s,]|^the )[\s,]*(?:\bin\s+)?\(?(?<![^\s,(])([a-z][a-z_]*(?:\/[a-z0-9_+-]+)+|UTC|GMT|zulu)\)?(?=[\s,]|$)(?!\s*[+-]\d)/gi

/** chrono-node takes an offset only from behind the clock that ends a time. */
function withOffsetLast(text: string): string {
  const [, clock, offset, rest] =
    /^((?:at\s+)?\d{1,2}(?:[:.]\d\d)?(?:\s?[ap]m)?)\s?((?:utc|gmt)?[+-]\d{1,2}(?::?\d\d)?)\s+(\D.*|\d.*\D.*)$/i.exec(text) ?? []
  return clock === undefined || offset === undefined || rest === undefined
    ? text
    : `${rest} ${clock}${/^[ug]/i.test(offset) ? ' ' : ''}${offset}`
}

const zoneAsNamed = (zone: string): string =>
  Intl.supportedValuesOf('timeZone').find((known) => known.toLowerCase() === zone.toLowerCase()) ?? zone
