import { type ReactNode, useState } from 'react'
import { flagAt, type Json, numberAt, objectAt, objectsAt, textAt, words } from '../json.ts'
import { parsePermalink } from '../permalink.ts'
import { useSurface } from '../surface.ts'
import { PlainText, TextObject } from '../text/text.tsx'
import { entryKey, type Entry, initialEntry } from '../values.ts'
import { useViewer } from '../viewer.ts'
import { Confirm } from './confirm.tsx'
import { Choices, MultiSelect, type Option, Overflow, Select } from './menus.tsx'

/** Given by an input block; without it the element stands in an actions block or beside a section and acts at once. */
export type Field = {
  readonly id: string
  readonly labelledBy: string
  readonly describedBy: string
  readonly label: string
  readonly dispatches: boolean
}
type Props = { readonly of: Json; readonly blockId: string; readonly field?: Field }

export function Element({ of, blockId, field }: Props): ReactNode {
  const type = textAt(of, 'type') ?? 'without a type'
  if (type === 'button' || type === 'workflow_button') return <Button of={of} blockId={blockId} />
  if (type === 'image') return <img className="thumbnail" src={textAt(of, 'image_url') ?? ''} alt={textAt(of, 'alt_text') ?? ''} />
  if (type === 'overflow') return <OverflowMenu of={of} blockId={blockId} />
  return <Entered of={of} blockId={blockId} type={type} {...(field && { field })} />
}

function Button({ of, blockId }: Props): ReactNode {
  const { act } = useSurface()
  const { origin, openMessage } = useViewer()
  const [isAsking, setAsking] = useState(false)
  const [isBusy, setBusy] = useState(false)
  const confirm = objectAt(of, 'confirm')
  const url = textAt(of, 'url')
  const press = async (): Promise<void> => {
    setAsking(false)
    const address = url === null ? null : parsePermalink(url, origin)
    if (address !== null) openMessage(address)
    else if (url !== null && /^https?:/.test(url)) window.open(url, '_blank', 'noreferrer')
    setBusy(true)
    await act(blockId, of)
    setBusy(false)
  }
  const label = textAt(of, 'accessibility_label')
  return (
    <>
      <button
        type="button"
        className={`button ${textAt(of, 'style') ?? 'default'}`}
        aria-busy={isBusy}
        data-action={textAt(of, 'action_id') ?? ''}
        {...(label !== null && { 'aria-label': label })}
        onClick={() => (isBusy ? undefined : confirm === null ? void press() : setAsking(true))}
      >
        <PlainText source={words(of['text'])} />
      </button>
      {isAsking && confirm !== null && <Confirm of={confirm} onYes={() => void press()} onNo={() => setAsking(false)} />}
    </>
  )
}

function OverflowMenu({ of, blockId }: Props): ReactNode {
  const { act } = useSurface()
  const [asking, setAsking] = useState<string | null>(null)
  const confirm = objectAt(of, 'confirm')
  return (
    <>
      <Overflow
        options={objectsAt(of, 'options').map((option) => optionOf(option))}
        onPick={(value) => (confirm === null ? void act(blockId, of, value) : setAsking(value))}
      />
      {asking !== null && confirm !== null && (
        <Confirm
          of={confirm}
          onNo={() => setAsking(null)}
          onYes={() => {
            setAsking(null)
            void act(blockId, of, asking)
          }}
        />
      )}
    </>
  )
}

/** Everything that keeps what was entered. */
function Entered({ of, blockId, type, field }: Props & { readonly type: string }): ReactNode {
  const { act, entries, enter } = useSurface()
  const [asking, setAsking] = useState<Entry | undefined>(undefined)
  const options = useOptions(of, type)
  const actionId = textAt(of, 'action_id') ?? ''
  const entered = entries.get(entryKey(blockId, actionId))
  const entry = entered === undefined ? initialEntry(of) : entered
  const confirm = objectAt(of, 'confirm')
  const actsAtOnce = field === undefined || field.dispatches

  const apply = (next: Entry): void => {
    setAsking(undefined)
    enter(blockId, actionId, next)
    if (actsAtOnce) void act(blockId, of, typeof next === 'string' ? next : (next ?? []).join(','))
  }
  const change = (next: Entry): void => (confirm !== null && actsAtOnce ? setAsking(next) : apply(next))
  const placeholder = words(of['placeholder'])
  const names = {
    'data-action': actionId,
    ...(field === undefined
      ? { 'aria-label': placeholder === '' ? actionId : placeholder }
      : { id: field.id, 'aria-labelledby': field.labelledBy, ...(field.describedBy !== '' && { 'aria-describedby': field.describedBy }) }),
  }
  const one = typeof entry === 'string' ? entry : ''
  const many = typeof entry === 'string' || entry === null ? [] : entry
  const isAutoFocused = flagAt(of, 'focus_on_load')

  const drawn = ((): ReactNode => {
    if (type === 'radio_buttons' || type === 'checkboxes')
      return (
        <Choices
          names={names}
          kind={type === 'checkboxes' ? 'checkbox' : 'radio'}
          options={options}
          chosen={type === 'checkboxes' ? many : [one]}
          onChange={(next) => change(type === 'checkboxes' ? next : (next[0] ?? null))}
        />
      )
    if (type.startsWith('multi_'))
      return <MultiSelect names={names} placeholder={placeholder} options={options} chosen={many} onChange={change} />
    if (type.endsWith('_select')) return <Select names={names} placeholder={placeholder} options={options} chosen={one} onChange={change} />
    const native = NATIVE[type]
    if (native === undefined)
      return (
        <p className="cannot-draw" role="note">
          The playground cannot draw the element “{type}”.
        </p>
      )
    const [minLength, maxLength] = [numberAt(of, 'min_length'), numberAt(of, 'max_length')]
    const shared = {
      ...names,
      placeholder,
      autoFocus: isAutoFocused,
      ...(minLength !== null && { minLength }),
      ...(maxLength !== null && { maxLength }),
    }
    // Typing changes what a submit carries; only leaving the field or Enter would dispatch, and the bot's inputs do not.
    const typed = (value: string): void => enter(blockId, actionId, value === '' ? null : value)
    if (flagAt(of, 'multiline')) return <textarea {...shared} rows={4} value={one} onChange={(event) => typed(event.target.value)} />
    const write =
      native === 'text' || native === 'number' || native === 'email' || native === 'url'
        ? typed
        : (value: string): void => change(value === '' ? null : value)
    return (
      <input
        {...shared}
        type={native}
        value={type === 'datetimepicker' ? localMoment(one) : one}
        onChange={(event) => write(type === 'datetimepicker' ? epoch(event.target.value) : event.target.value)}
      />
    )
  })()

  return (
    <>
      {drawn}
      {asking !== undefined && confirm !== null && <Confirm of={confirm} onNo={() => setAsking(undefined)} onYes={() => apply(asking)} />}
    </>
  )
}

const NATIVE: Readonly<Record<string, 'text' | 'number' | 'email' | 'url' | 'date' | 'time' | 'datetime-local'>> = {
  plain_text_input: 'text',
  number_input: 'number',
  email_text_input: 'email',
  url_text_input: 'url',
  datepicker: 'date',
  timepicker: 'time',
  datetimepicker: 'datetime-local',
}

function useOptions(of: Json, type: string): readonly Option[] {
  const { state } = useViewer()
  if (type.endsWith('users_select'))
    return state.people
      .filter((p) => p.kind !== 'bot')
      .map((p) => ({ value: p.id, label: p.name, text: p.name, description: null, group: null }))
  if (type.endsWith('channels_select') || type.endsWith('conversations_select'))
    return state.channels
      .filter((c) => c.direct === null)
      .map((c) => ({ value: c.id, label: `#${c.name}`, text: `#${c.name}`, description: null, group: null }))
  const grouped = objectsAt(of, 'option_groups').flatMap((group) =>
    objectsAt(group, 'options').map((option) => optionOf(option, words(group['label']))),
  )
  return [...objectsAt(of, 'options').map((option) => optionOf(option)), ...grouped]
}

function optionOf(option: Json, group: string | null = null): Option {
  const description = objectAt(option, 'description')
  return {
    value: textAt(option, 'value') ?? '',
    text: words(option['text']),
    label: <TextObject of={objectAt(option, 'text')} />,
    description: description === null ? null : <TextObject of={description} />,
    group,
  }
}

/** Seconds since 1970 as a `datetime-local` input takes them, and back; the browser's zone stands in for the person's. */
function localMoment(seconds: string): string {
  if (seconds === '') return ''
  const at = new Date(Number(seconds) * 1000)
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

function epoch(local: string): string {
  return local === '' ? '' : String(Math.floor(new Date(local).getTime() / 1000))
}
