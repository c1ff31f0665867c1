import { lazy, type ReactNode, Suspense } from 'react'
import { type Json, objectAt, objectsAt, textAt, words } from '../json.ts'
import { PlainText, TextObject } from '../text/text.tsx'
import { Element } from './elements.tsx'
import { InputBlock } from './input.tsx'
import { PlanBlock, TaskCard } from './plan.tsx'
import { RichText } from './rich-text.tsx'
import { TableBlock } from './table.tsx'

const LibraryBlock = lazy(() => import('./library.tsx'))
/** Those that `slack-blocks-to-jsx` draws well; its mrkdwn loses code and headings, so everything with mrkdwn is drawn here. */
const LIBRARY_TYPES = new Set(['markdown', 'data_visualization', 'carousel', 'card', 'video'])

export function Blocks({ of }: { readonly of: readonly Json[] }): ReactNode {
  return of.map((block, index) => <Block key={textAt(block, 'block_id') ?? index} of={block} />)
}

function Block({ of }: { readonly of: Json }): ReactNode {
  const type = textAt(of, 'type') ?? 'without a type'
  const blockId = textAt(of, 'block_id') ?? ''
  switch (type) {
    case 'header':
      return (
        <h3 className="block header">
          <PlainText source={words(of['text'])} />
        </h3>
      )
    case 'section':
      return <Section of={of} blockId={blockId} />
    case 'context':
      return <Context of={of} />
    case 'actions':
      return (
        <div className="block actions">
          {objectsAt(of, 'elements').map((element, index) => (
            <Element key={index} of={element} blockId={blockId} />
          ))}
        </div>
      )
    case 'divider':
      return <hr className="block divider" />
    case 'table':
      return <TableBlock of={of} />
    case 'plan':
      return <PlanBlock of={of} />
    case 'task_card':
      return (
        <div className="block">
          <TaskCard of={of} />
        </div>
      )
    case 'rich_text':
      return (
        <div className="block">
          <RichText of={of} />
        </div>
      )
    case 'input':
      return <InputBlock of={of} blockId={blockId} />
    case 'image':
      return <Picture of={of} />
    case 'alert':
      return <Alert of={of} />
    default:
      return LIBRARY_TYPES.has(type) ? (
        <Suspense fallback={<p className="block quiet">Drawing…</p>}>
          <LibraryBlock of={of} />
        </Suspense>
      ) : (
        <p className="block cannot-draw" role="note">
          The playground cannot draw the block “{type}”.
        </p>
      )
  }
}

function Section({ of, blockId }: { readonly of: Json; readonly blockId: string }): ReactNode {
  const fields = objectsAt(of, 'fields')
  const accessory = objectAt(of, 'accessory')
  return (
    <div className="block section">
      <div className="section-body">
        {objectAt(of, 'text') !== null && (
          <div className="text">
            <TextObject of={objectAt(of, 'text')} />
          </div>
        )}
        {fields.length > 0 && (
          <div className="fields">
            {fields.map((field, index) => (
              <div key={index} className="text">
                <TextObject of={field} />
              </div>
            ))}
          </div>
        )}
      </div>
      {accessory !== null && (
        <div className="accessory">
          <Element of={accessory} blockId={blockId} />
        </div>
      )}
    </div>
  )
}

function Context({ of }: { readonly of: Json }): ReactNode {
  return (
    <div className="block context">
      {objectsAt(of, 'elements').map((element, index) =>
        element['type'] === 'image' ? (
          <img key={index} src={textAt(element, 'image_url') ?? ''} alt={textAt(element, 'alt_text') ?? ''} />
        ) : (
          <div key={index} className="text">
            <TextObject of={element} />
          </div>
        ),
      )}
    </div>
  )
}

function Picture({ of }: { readonly of: Json }): ReactNode {
  const title = words(of['title'])
  return (
    <figure className="block picture">
      {title !== '' && (
        <figcaption>
          <PlainText source={title} />
        </figcaption>
      )}
      <img src={textAt(of, 'image_url') ?? ''} alt={textAt(of, 'alt_text') ?? ''} />
    </figure>
  )
}

const LEVELS: Readonly<Record<string, string>> = { info: 'Note', default: 'Note', success: 'Success', warning: 'Warning', error: 'Error' }

function Alert({ of }: { readonly of: Json }): ReactNode {
  const level = textAt(of, 'level') ?? 'info'
  return (
    <div className={`block alert alert-${level}`} role={level === 'error' ? 'alert' : 'note'}>
      <span className="alert-level">{LEVELS[level] ?? 'Note'}</span>
      <div className="text">
        <TextObject of={objectAt(of, 'text')} />
      </div>
    </div>
  )
}
