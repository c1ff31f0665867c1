/** What a delivery of Slack looks like. What looks otherwise is refused before anybody works with it. */

export type BodyKind = 'form' | 'json'

/** Slack's payloads, with blocks in rich text in views, stay below 20. */
const DEEPEST = 64
/** Ids and tokens of Slack are a few dozen characters long. */
const LONGEST_ID = 255
/** `private_metadata`, the longest text that comes back to us. */
const LONGEST_METADATA = 3_000

/**
 * Why a body that came over HTTP is not one of Slack's; undefined when it is. The signature does not cover the content type, so the same
 * signed bytes must not mean two things: events are JSON and nothing else is, and a form has each field once.
 */
export function formFault(body: Buffer, kind: BodyKind): string | undefined {
  const text = decoded(body)
  if (text === undefined) return 'the body is not UTF-8'
  return kind === 'json' ? eventFault(text) : fieldsFault(text)
}

/**
 * Why what was read, over either transport, is not a delivery of Slack. `mayAnswerTo` says whether an address belongs to Slack: answers
 * are posted there, so that any other one would make the bot call whatever somebody names.
 */
export function deliveryFault(body: Readonly<Record<string, unknown>>, mayAnswerTo: (url: string) => boolean): string | undefined {
  const { text: _typed, ...rest } = body // what somebody typed is answered in words of its own
  const tree = treeFault(rest)
  if (tree !== undefined) return tree
  const { view } = body as { readonly view?: Json | null }
  const event = recordOf(body['event'])
  const actions = Array.isArray(body['actions']) ? body['actions'].map(recordOf) : []
  const people = [body['user_id'], recordOf(body['user'])['id'], ...(event['type'] === 'app_home_opened' ? [event['user']] : [])]
  if (people.some((id) => id !== undefined && !isMatch(id, /^[UW][A-Z0-9]+$/))) return 'the id of its person is none of Slack'
  const channels = [body['channel_id'], recordOf(body['channel'])['id']]
  if (channels.some((id) => id !== undefined && !isMatch(id, /^[CDG][A-Z0-9]+$/))) return 'the id of its channel is none of Slack'
  const ids = [body['trigger_id'], body['event_id'], body['type'], recordOf(view)['id'], recordOf(view)['callback_id']]
  const ofActions = actions.flatMap((action) => [action['action_id'], action['action_ts'], action['block_id']])
  if ([...ids, ...ofActions].some((id) => id !== undefined && !isMatch(id, /^[\u0020-\u007e]*$/))) return 'one of its ids is none of Slack'
  const metadata = recordOf(view)['private_metadata']
  if (metadata !== undefined && (typeof metadata !== 'string' || metadata.length > LONGEST_METADATA)) return 'its metadata is none of Slack'
  const responses = Array.isArray(body['response_urls']) ? body['response_urls'].map((one) => recordOf(one)['response_url']) : []
  const addresses = [...(body['response_url'] === undefined ? [] : [body['response_url']]), ...responses]
  if (addresses.some((url) => typeof url !== 'string' || !mayAnswerTo(url))) return 'its response_url does not lead to Slack'
  return undefined
}

/** Slack's own hosts, commercial and government, and the server that SLACK_API_URL names. */
export function answersTo(apiUrl: string | undefined): (url: string) => boolean {
  const own = apiUrl !== undefined && URL.canParse(apiUrl) ? new URL(apiUrl).origin : undefined
  return (url) => {
    if (!URL.canParse(url)) return false
    const { origin, username, password } = new URL(url)
    return username === '' && password === '' && (SLACK_ORIGINS.has(origin) || origin === own)
  }
}

const SLACK_ORIGINS: ReadonlySet<string> = new Set(['https://hooks.slack.com', 'https://hooks.slack-gov.com'])

type Json = Readonly<Record<string, unknown>>

function decoded(body: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    return undefined // bytes that are no UTF-8
  }
}

function eventFault(text: string): string | undefined {
  const parsed = parsedObject(text)
  if (typeof parsed === 'string') return parsed
  return ['event_callback', 'url_verification', 'app_rate_limited'].includes(String(parsed['type']))
    ? undefined
    : 'it is JSON, and no event'
}

function fieldsFault(text: string): string | undefined {
  if (/^[\s\ufeff]*[[{"]/.test(text)) return 'it is JSON that is called a form'
  const fields = new URLSearchParams(text)
  const names = [...fields.keys()]
  if (new Set(names).size !== names.length) return 'a field stands there twice'
  if (names.some((name) => !/^[a-z_]{1,40}$/.test(name))) return 'it has a field that Slack does not send'
  const payload = fields.get('payload')
  if (fields.has('ssl_check'))
    return names.every((name) => name === 'ssl_check' || name === 'token') ? undefined : 'it is a check of TLS with something else in it'
  if (payload === null) return fields.has('command') ? undefined : 'it is neither a command nor an interaction'
  if (names.length > 1) return 'it has a payload and other fields'
  const parsed = parsedObject(payload)
  if (typeof parsed === 'string') return parsed
  return typeof parsed['type'] === 'string' && !('event' in parsed) && !('command' in parsed) ? undefined : 'its payload is no interaction'
}

/** The object, or why it is none. The depth is counted before it is read, so that reading it cannot be made to hurt. */
function parsedObject(text: string): Json | string {
  if (isTextTooDeep(text)) return 'it is nested too deeply'
  try {
    const value: unknown = JSON.parse(text, refuseProto)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : 'it is no JSON object'
  } catch (error) {
    return error instanceof ProtoFault ? 'it names __proto__' : 'it is no JSON'
  }
}

class ProtoFault extends Error {}

function refuseProto(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new ProtoFault()
  return value
}

function isTextTooDeep(text: string): boolean {
  let depth = 0
  let isInString = false
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at)
    if (isInString) {
      if (char === '\\') at++
      else if (char === '"') isInString = false
    } else if (char === '"') isInString = true
    else if (char === '[' || char === '{') depth++
    else if (char === ']' || char === '}') depth--
    if (depth > DEEPEST) return true
  }
  return false
}

/** Level by level, since a recursion could be driven to its end. */
function treeFault(body: Json): string | undefined {
  let level: readonly unknown[] = [body]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST) return 'it is nested too deeply'
    const below: unknown[] = []
    for (const value of level) {
      // neither can be stored, and nobody can type them
      if (typeof value === 'string' && (value.includes('\0') || !value.isWellFormed())) return 'it has characters that cannot be written'
      if (typeof value !== 'object' || value === null) continue
      if (Object.hasOwn(value, '__proto__')) return 'it names __proto__'
      for (const part of Object.values(value)) below.push(part)
    }
    level = below
  }
  return undefined
}

const isMatch = (id: unknown, pattern: RegExp): boolean => typeof id === 'string' && id.length <= LONGEST_ID && pattern.test(id)

const recordOf = (value: unknown): Json => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {})
