import type { Answer, Click, Close, Command, Home, Person, Say, Submit } from '../../protocol.ts'
import type { Deliverer, Outcome } from '../deliver.ts'
import { addMessage } from '../methods/chat.ts'
import { messageJson } from '../methods/method.ts'
import { pushView, replaceView, viewIsValid, viewJson } from '../methods/views.ts'
import { answerInPlace } from '../response-url.ts'
import { recordOf, textOf, type Json } from '../shape.ts'
import { directChannel, findMessage, newTrigger, type Channel, type State, type StoredView } from '../state.ts'
import { emptyInputs, findElement, stateValues, valueOf } from './elements.ts'
import { commandPayload, escapeCommand, eventPayload, interaction, newResponseUrl } from './payloads.ts'

export type Hands = { readonly state: State; readonly deliverer: Deliverer }

/** A click on a button that is no longer on the message: what an old screen still shows. */
export type Stale = { readonly value?: string; readonly blockId?: string }

const OK: Answer = { ok: true }
const TROUBLE = 'We had some trouble connecting. Try again?'
const no = (error: string): Answer => ({ ok: false, error })

export async function typeCommand({ state, deliverer }: Hands, given: Command): Promise<Answer> {
  const person = actor(state, given.person)
  const channel = state.channels.get(given.channel)
  if (typeof person === 'string') return no(person)
  if (!channel || !channel.members.includes(person.id)) return no('You are not in this conversation.')
  if (channel.archived) return no('This channel is archived.')
  const [command = '', ...rest] = given.text.trimStart().split(/(?<=^\S+)\s/)
  if (!state.seed.commands.some((each) => each.command === command)) return no(`${command} is not a valid command.`)
  if (given.threadTs !== undefined) return no(`${command} is not supported in threads. Sorry!`)
  const payload = commandPayload(state, person, {
    command,
    text: escapeCommand(state, rest.join(' ')),
    channel: { id: channel.id, name: channel.direct === null ? channel.name : 'directmessage' },
    responseUrl: newResponseUrl(state, { person: person.id, channel: channel.id, message: null }),
    trigger: newTrigger(state, person.id, null),
  })
  const outcome = await deliverer.deliver({ kind: 'slash_commands', payload, acceptsPayload: true })
  if (outcome.kind !== 'acked')
    return no(`${command} failed with the error "${outcome.kind === 'timeout' ? 'operation_timeout' : 'dispatch_failed'}"`)
  const refusal = answerInPlace(state, { person: person.id, channel: channel.id }, outcome.payload)
  return refusal === null ? OK : no(`${command} failed with the error "${refusal}"`)
}

export async function click(
  { state, deliverer }: Hands,
  given: Click,
  options: { readonly stale?: Stale; readonly withoutView?: boolean } = {},
): Promise<Answer> {
  const person = actor(state, given.person)
  if (typeof person === 'string') return no(person)
  const place = 'viewId' in given.container ? inView(state, person, given.container.viewId) : inMessage(state, person, given.container)
  if (typeof place === 'string') return no(place)
  const { stale } = options
  const found = stale
    ? {
        blockId: stale.blockId ?? given.blockId,
        element: { type: 'button', action_id: given.actionId, ...(stale.value === undefined ? {} : { value: stale.value }) },
      }
    : findElement(place.blocks, given.actionId, given.blockId)
  if (!found) return no('That is no longer there.')
  const { element, blockId } = found
  const action = {
    type: element['type'],
    action_id: given.actionId,
    block_id: blockId,
    ...('text' in element ? { text: element['text'] } : {}),
    ...('value' in element ? { value: element['value'] } : {}),
    ...('style' in element ? { style: element['style'] } : {}),
    ...valueOf(element, given.selected ?? ''),
    action_ts: state.nextTs(),
  }
  const values = stateValues(place.blocks, given.state)
  const outcome = await deliverer.deliver({
    kind: 'interactive',
    payload: {
      ...interaction(state, 'block_actions', person),
      trigger_id: newTrigger(state, person.id, place.view && place.view.view['type'] === 'modal' ? place.view.id : null),
      ...place.context(),
      ...(place.view ? (options.withoutView ? {} : { view: viewJson(state, place.view, values) }) : { state: { values } }),
      actions: [action],
    },
    acceptsPayload: false,
  })
  return whatWentWrong(outcome)
}

export async function submit({ state, deliverer }: Hands, given: Submit): Promise<Answer> {
  const person = actor(state, given.person)
  if (typeof person === 'string') return no(person)
  const place = inView(state, person, given.viewId)
  if (typeof place === 'string') return no(place)
  const { view } = place
  if (view.view['submit'] === undefined) return no('This dialog has nothing to submit.')
  const values = stateValues(place.blocks, given.values)
  setErrors(state, view, emptyInputs(place.blocks, values))
  if (Object.keys(view.errors).length > 0) return no('Please fix the fields that are marked.')
  const payload = {
    ...interaction(state, 'view_submission', person),
    trigger_id: newTrigger(state, person.id, view.id),
    view: viewJson(state, view, values),
    response_urls: [],
  }
  const outcome = await deliverer.deliver({ kind: 'interactive', payload, acceptsPayload: true })
  return outcome.kind === 'acked' ? followUp(state, person, view, outcome.payload) : no(TROUBLE)
}

export async function closeView({ state, deliverer }: Hands, given: Close): Promise<Answer> {
  const person = actor(state, given.person)
  if (typeof person === 'string') return no(person)
  const place = inView(state, person, given.viewId)
  if (typeof place === 'string') return no(place)
  const { view } = place
  const payload = {
    ...interaction(state, 'view_closed', person),
    view: viewJson(state, view),
    is_cleared: view.view['clear_on_close'] === true,
  }
  if (view.view['clear_on_close'] === true) clearStack(state, person.id)
  else popView(state, view)
  if (view.view['notify_on_close'] !== true) return OK
  await deliverer.deliver({ kind: 'interactive', payload, acceptsPayload: false })
  return OK
}

/** Opening the app's Home tells the app; what it publishes shows when it comes. */
export async function openHome({ state, deliverer }: Hands, given: Home): Promise<Answer> {
  const person = actor(state, given.person)
  if (typeof person === 'string') return no(person)
  const published = state.views.get(state.homes.get(person.id) ?? '')
  const event = {
    type: 'app_home_opened',
    user: person.id,
    channel: directChannel(state, person.id).id,
    tab: 'home',
    event_ts: state.nextTs(),
    ...(published ? { view: viewJson(state, published) } : {}),
  }
  if (state.seed.app.events.includes('app_home_opened'))
    await deliverer.deliver({ kind: 'events_api', payload: eventPayload(state, event), acceptsPayload: false })
  return OK
}

/** Messages of people stay in the workspace: the app subscribes to none of them. */
export function say({ state }: Hands, given: Say): Answer {
  const person = actor(state, given.person)
  const channel = state.channels.get(given.channel)
  if (typeof person === 'string') return no(person)
  if (!channel || !channel.members.includes(person.id)) return no('You are not in this conversation.')
  if (channel.archived) return no('This channel is archived.')
  if (given.text.trim() === '') return no('Write something first.')
  if (given.threadTs !== undefined && !findMessage(state, channel.id, given.threadTs)) return no('That message is no longer there.')
  addMessage(state, { channel: channel.id, user: person.id, text: given.text, threadTs: given.threadTs ?? null })
  return OK
}

type Place = { readonly blocks: readonly Json[]; readonly view: StoredView | null; readonly context: () => Json }

function inMessage(state: State, person: Person, at: { readonly channel: string; readonly ts: string }): Place | string {
  const channel = state.channels.get(at.channel)
  const message = findMessage(state, at.channel, at.ts)
  if (!channel || !channel.members.includes(person.id)) return 'You are not in this conversation.'
  if (!message || (message.ephemeralTo !== null && message.ephemeralTo !== person.id)) return 'That message is no longer there.'
  const isEphemeral = message.ephemeralTo !== null
  const thread = message.threadTs === null ? {} : { thread_ts: message.threadTs }
  return {
    blocks: message.blocks,
    view: null,
    context: () => ({
      container: { type: 'message', message_ts: message.ts, channel_id: channel.id, is_ephemeral: isEphemeral, ...thread },
      channel: { id: channel.id, name: channelName(channel) },
      ...(isEphemeral ? {} : { message: messageJson(state, message) }),
      response_url: newResponseUrl(state, { person: person.id, channel: channel.id, message }),
    }),
  }
}

function inView(state: State, person: Person, viewId: string): (Place & { readonly view: StoredView }) | string {
  const view = state.views.get(viewId)
  const shown = view && (state.homes.get(person.id) === view.id || state.stacks.get(person.id)?.at(-1) === view.id)
  if (!view || !shown) return 'That is no longer open.'
  const blocks = Array.isArray(view.view['blocks']) ? view.view['blocks'].map(recordOf) : []
  return { blocks, view, context: () => ({ container: { type: 'view', view_id: view.id } }) }
}

/** What the acknowledgement of a submission asks for (docs.slack.dev/surfaces/modals). */
function followUp(state: State, person: Person, view: StoredView, ack: Json): Answer {
  switch (textOf(ack['response_action'])) {
    case '':
      popView(state, view)
      return OK
    case 'clear':
      clearStack(state, person.id)
      return OK
    case 'errors': {
      const errors = Object.entries(recordOf(ack['errors'])).map(([block, text]): [string, string] => [block, textOf(text)])
      const inputs = recordOf(stateValues(Array.isArray(view.view['blocks']) ? view.view['blocks'].map(recordOf) : []))
      if (errors.length === 0 || errors.some(([block, text]) => text === '' || !(block in inputs))) return no(TROUBLE)
      setErrors(state, view, Object.fromEntries(errors))
      return OK
    }
    case 'update':
      if (!viewIsValid(state, ack['view'])) return no(TROUBLE)
      replaceView(state, view, ack['view'])
      return OK
    case 'push':
      if (!viewIsValid(state, ack['view']) || (state.stacks.get(person.id)?.length ?? 0) >= 3) return no(TROUBLE)
      pushView(state, person.id, ack['view'])
      return OK
    default:
      return no(TROUBLE)
  }
}

function whatWentWrong(outcome: Outcome): Answer {
  if (outcome.kind === 'acked') return OK
  return no(outcome.kind === 'timeout' ? 'This app took too long to respond. Try again?' : 'This app is not responding. Try again later?')
}

function actor(state: State, id: string): Person | string {
  return state.people.get(id) ?? 'There is no such person.'
}

const channelName = (channel: Channel): string => (channel.direct === null ? channel.name : 'directmessage')

function setErrors(state: State, view: StoredView, errors: Readonly<Record<string, string>>): void {
  view.errors = errors
  state.changed()
}

function popView(state: State, view: StoredView): void {
  state.stacks.set(
    view.person,
    (state.stacks.get(view.person) ?? []).filter((id) => id !== view.id),
  )
  state.changed()
}

function clearStack(state: State, person: string): void {
  state.stacks.set(person, [])
  state.changed()
}
