import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import type { PlayView } from '../protocol.ts'
import { act } from './api.ts'
import { Blocks } from './blocks/blocks.tsx'
import { Dialog } from './dialog.tsx'
import { Interactive } from './interactive.tsx'
import { objectsAt, objectAt, words } from './json.ts'
import { PlainText } from './text/text.tsx'
import { collectValues, type Entries, missingInputs } from './values.ts'
import { useViewer } from './viewer.ts'

/** A modal of one person, over that person's pane. Errors come from the form itself and from the bot's `response_action: errors`. */
export function Modal({ of }: { readonly of: PlayView }): ReactNode {
  const { person, tell } = useViewer()
  const entries = useRef<Entries>(new Map())
  const [missing, setMissing] = useState<Readonly<Record<string, string>>>({})
  const [isSending, setSending] = useState(false)
  const form = useRef<HTMLFormElement | null>(null)
  const errors = { ...of.errors, ...missing }
  const wrong = Object.keys(errors).join(' ')
  useEffect(() => {
    if (wrong !== '') form.current?.querySelector<HTMLElement>('.input-wrong :is(input, textarea, select)')?.focus()
  }, [wrong])
  const blocks = objectsAt(of.view, 'blocks')
  const submitLabel = words(objectAt(of.view, 'submit'))
  const close = async (): Promise<void> => {
    const answer = await act('close', { person: person.id, viewId: of.viewId })
    if (!answer.ok) tell(answer.error)
  }
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    const unfilled = missingInputs(blocks, entries.current)
    setMissing(unfilled)
    if (Object.keys(unfilled).length > 0 || isSending) return
    setSending(true)
    const answer = await act('submit', { person: person.id, viewId: of.viewId, values: collectValues(blocks, entries.current) })
    setSending(false)
    if (!answer.ok) tell(answer.error)
  }
  return (
    <Dialog title={words(of.view['title'])} testId="modal" isWide onClose={() => void close()}>
      <form ref={form} className="dialog-form" noValidate onSubmit={(event) => void submit(event)}>
        <div className="dialog-body">
          <Interactive
            container={{ viewId: of.viewId }}
            blocks={blocks}
            errors={errors}
            isModal
            onEntries={(next) => {
              entries.current = next
              const still = missingInputs(blocks, next)
              setMissing((before) => Object.fromEntries(Object.entries(before).filter(([blockId]) => blockId in still)))
            }}
          >
            <Blocks of={blocks} />
          </Interactive>
        </div>
        <div className="dialog-foot">
          <button type="button" className="button default" onClick={() => void close()}>
            <PlainText source={words(of.view['close']) || (submitLabel === '' ? 'Close' : 'Cancel')} />
          </button>
          {submitLabel !== '' && (
            <button type="submit" className="button primary" data-testid="modal-submit" aria-busy={isSending}>
              <PlainText source={submitLabel} />
            </button>
          )}
        </div>
      </form>
    </Dialog>
  )
}
