import { type ReactNode, useId } from 'react'
import { type Json, flagAt, objectAt, words } from '../json.ts'
import { useSurface } from '../surface.ts'
import { PlainText } from '../text/text.tsx'
import { Element } from './elements.tsx'

export function InputBlock({ of, blockId }: { readonly of: Json; readonly blockId: string }): ReactNode {
  const { errors } = useSurface()
  const id = useId()
  const element = objectAt(of, 'element')
  const error = errors[blockId]
  const hint = words(of['hint'])
  const label = words(of['label'])
  const describedBy = [error === undefined ? '' : `${id}-error`, hint === '' ? '' : `${id}-hint`].filter((part) => part !== '').join(' ')
  return (
    <div className={error === undefined ? 'block input' : 'block input input-wrong'}>
      <label htmlFor={id} id={`${id}-label`}>
        <PlainText source={label} />
        {flagAt(of, 'optional') && <span className="quiet"> (optional)</span>}
      </label>
      {element !== null && (
        <Element
          of={element}
          blockId={blockId}
          field={{ id, labelledBy: `${id}-label`, describedBy, label, dispatches: flagAt(of, 'dispatch_action') }}
        />
      )}
      {error !== undefined && (
        <p className="input-error" id={`${id}-error`} role="alert">
          {error}
        </p>
      )}
      {hint !== '' && (
        <p className="quiet hint-text" id={`${id}-hint`}>
          <PlainText source={hint} />
        </p>
      )}
    </div>
  )
}
