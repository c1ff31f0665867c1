import { Fragment, type ReactNode } from 'react'
import { type Json, arrayAt, flagAt, isObject, textAt } from '../json.ts'
import { PlainText } from '../text/text.tsx'
import { RichText } from './rich-text.tsx'

/** The first row is the heading, as Slack draws it. */
export function TableBlock({ of }: { readonly of: Json }): ReactNode {
  const [head = [], ...rows] = arrayAt(of, 'rows').map((row) => (Array.isArray(row) ? row.filter(isObject) : []))
  const settings = arrayAt(of, 'column_settings')
  const className = (column: number): string => {
    const align = textAt(settings[column], 'align') ?? 'left'
    return `align-${align}${flagAt(settings[column], 'is_wrapped') ? '' : ' unwrapped'}`
  }
  return (
    <div className="block table-frame">
      <table>
        <thead>
          <tr>
            {head.map((cell, column) => (
              <th key={column} scope="col" className={className(column)}>
                <Cell of={cell} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column} className={className(column)}>
                  <Cell of={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Cell({ of }: { readonly of: Json }): ReactNode {
  if (of['type'] === 'rich_text') return <RichText of={of} />
  const value = of['text'] ?? of['value']
  return typeof value === 'number' ? String(value) : <Breakable text={typeof value === 'string' ? value : ''} />
}

/** Names of migrations are long single words: they may break after an underscore. */
function Breakable({ text }: { readonly text: string }): ReactNode {
  return text.split(/(?<=_)/).map((part, index) => (
    <Fragment key={index}>
      {index > 0 && <wbr />}
      <PlainText source={part} />
    </Fragment>
  ))
}
