import type { ReactNode } from 'react'
import { Dialog } from '../dialog.tsx'
import { type Json, objectAt, textAt, words } from '../json.ts'
import { PlainText, TextObject } from '../text/text.tsx'

/** The question that a button asks before it acts. */
export function Confirm({ of, onYes, onNo }: { readonly of: Json; readonly onYes: () => void; readonly onNo: () => void }): ReactNode {
  return (
    <Dialog title={words(of['title'])} testId="confirm" onClose={onNo}>
      <div className="dialog-body">
        <div className="text">
          <TextObject of={objectAt(of, 'text')} />
        </div>
      </div>
      <div className="dialog-foot">
        <button type="button" className="button default" onClick={onNo}>
          <PlainText source={words(of['deny']) || 'Cancel'} />
        </button>
        <button type="button" className={`button ${textAt(of, 'style') ?? 'primary'}`} data-autofocus onClick={onYes}>
          <PlainText source={words(of['confirm']) || 'Yes'} />
        </button>
      </div>
    </Dialog>
  )
}
