import { viewProblems } from '../blocks/views.ts'
import { refuse, refuseProblems } from '../errors.ts'
import { isRecord, recordsOf, textOf, type Json } from '../shape.ts'
import { topView, type State, type StoredView, type Trigger } from '../state.ts'
import { withIds } from './chat.ts'
import { required, structured, type Call, type Method } from './method.ts'

export const viewMethods: Readonly<Record<string, Method>> = {
  'views.open': { token: 'bot', scopes: [], tier: 4, run: open },
  'views.push': { token: 'bot', scopes: [], tier: 4, run: push },
  'views.update': { token: 'bot', scopes: [], tier: 4, run: update },
  'views.publish': { token: 'bot', scopes: [], tier: 4, run: publish },
}

/** docs.slack.dev/reference/interaction-payloads: a trigger lives for 3 seconds. */
const TRIGGER_MS = 3_000
const VIEW_BYTES = 250_000
/** A root view and two on top of it. */
const STACK = 3

function open(call: Call): Json {
  const view = readView(call, 'modal')
  const trigger = exchange(call)
  uniqueExternalId(call.state, view, null)
  return { view: viewJson(call.state, openView(call.state, trigger.person, view)) }
}

function push(call: Call): Json {
  const view = readView(call, 'modal')
  const trigger = exchange(call)
  const stack = call.state.stacks.get(trigger.person) ?? []
  if (trigger.viewId === null || stack.length === 0) return refuse('not_found')
  if (stack.length >= STACK) return refuse('push_limit_reached')
  uniqueExternalId(call.state, view, null)
  return { view: viewJson(call.state, pushView(call.state, trigger.person, view)) }
}

function update(call: Call): Json {
  const id = textOf(call.args['view_id'])
  const external = textOf(call.args['external_id'])
  if (id === '' && external === '') return refuse('invalid_arguments', ['[ERROR] missing required field: view_id'])
  const view = readView(call, 'modal')
  const stored = [...call.state.views.values()].find((each) => each.id === id || (external !== '' && each.view['external_id'] === external))
  if (!stored || !isOpen(call.state, stored)) return refuse('not_found')
  checkHash(call, stored)
  uniqueExternalId(call.state, view, stored.id)
  replaceView(call.state, stored, view)
  return { view: viewJson(call.state, stored) }
}

function publish(call: Call): Json {
  const user = textOf(call.args['user_id'])
  if (user === '') return refuse('invalid_arguments', ['[ERROR] missing required field: user_id'])
  const view = readView(call, 'home')
  if (!call.state.people.has(user)) return refuse('user_not_found')
  const known = call.state.views.get(call.state.homes.get(user) ?? '')
  if (known) {
    checkHash(call, known)
    replaceView(call.state, known, view)
    return { view: viewJson(call.state, known) }
  }
  if (textOf(call.args['hash']) !== '') return refuse('hash_conflict')
  const stored = storeView(call.state, user, view, null)
  call.state.homes.set(user, stored.id)
  call.state.changed()
  return { view: viewJson(call.state, stored) }
}

function readView(call: Call, type: 'modal' | 'home'): Json {
  const view = structured(call, 'view', 'invalid_arguments')
  if (view === undefined) return refuse('invalid_arguments', ['[ERROR] missing required field: view'])
  if (JSON.stringify(view).length > VIEW_BYTES) return refuse('view_too_large')
  refuseProblems('invalid_arguments', viewProblems(view, type, { plan: call.state.seed.planBlocks }))
  return isRecord(view) ? view : refuse('invalid_arguments')
}

function exchange(call: Call): Trigger {
  const id = required(call, 'trigger_id')
  const trigger = call.state.triggers.get(id)
  if (!trigger) return refuse('invalid_trigger_id')
  if (trigger.used) return refuse('exchanged_trigger_id')
  if (call.state.now() - trigger.at > TRIGGER_MS) return refuse('expired_trigger_id')
  trigger.used = true
  return trigger
}

function checkHash(call: Call, stored: StoredView): void {
  const hash = textOf(call.args['hash'])
  if (hash !== '' && hash !== stored.hash) refuse('hash_conflict')
}

function uniqueExternalId(state: State, view: Json, self: string | null): void {
  const id = textOf(view['external_id'])
  if (id === '') return
  const taken = [...state.views.values()].some((each) => each.id !== self && each.view['external_id'] === id && isOpen(state, each))
  if (taken) refuse('duplicate_external_id')
}

const isOpen = (state: State, view: StoredView): boolean => (state.stacks.get(view.person) ?? []).includes(view.id)

/** Opening closes what the person had open, as Slack does for one app. */
function openView(state: State, person: string, view: Json): StoredView {
  const stored = storeView(state, person, view, null)
  state.stacks.set(person, [stored.id])
  state.changed()
  return stored
}

export function pushView(state: State, person: string, view: Json): StoredView {
  const stored = storeView(state, person, view, topView(state, person) ?? null)
  state.stacks.set(person, [...(state.stacks.get(person) ?? []), stored.id])
  state.changed()
  return stored
}

export function replaceView(state: State, stored: StoredView, view: Json): void {
  stored.view = normal(state, view)
  stored.hash = newHash(state)
  stored.errors = {}
  state.changed()
}

/** What Slack checks of a view that comes in an acknowledgement; there the person sees the trouble, not the app. */
export const viewIsValid = (state: State, view: unknown): view is Json =>
  isRecord(view) && viewProblems(view, 'modal', { plan: state.seed.planBlocks }).length === 0

export function viewJson(state: State, stored: StoredView, values: Json = {}): Json {
  const { app, workspace } = state.seed
  return {
    id: stored.id,
    team_id: workspace.id,
    app_id: app.id,
    app_installed_team_id: workspace.id,
    bot_id: app.botId,
    root_view_id: stored.rootId,
    previous_view_id: stored.previousId,
    hash: stored.hash,
    state: { values },
    private_metadata: '',
    callback_id: '',
    external_id: '',
    clear_on_close: false,
    notify_on_close: false,
    close: null,
    submit: null,
    ...stored.view,
  }
}

function storeView(state: State, person: string, view: Json, previous: StoredView | null): StoredView {
  const id = state.nextId('V')
  const stored: StoredView = {
    id,
    person,
    rootId: previous?.rootId ?? id,
    previousId: previous?.id ?? null,
    hash: newHash(state),
    view: normal(state, view),
    errors: {},
  }
  state.views.set(id, stored)
  return stored
}

const normal = (state: State, view: Json): Json => ({ ...view, blocks: withIds(state, recordsOf(view['blocks'])) })

const newHash = (state: State): string => `${Math.floor(state.now() / 1000)}.${state.nextId('h').slice(-8).toLowerCase()}`
