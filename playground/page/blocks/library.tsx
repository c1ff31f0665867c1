import type { ReactNode } from 'react'
import { type Block, Message } from 'slack-blocks-to-jsx'
import 'slack-blocks-to-jsx/dist/style.css'
import type { Json } from '../json.ts'

/** Rare display blocks. Loaded on demand: the library is larger than the rest of the page. */
export default function LibraryBlock({ of }: { readonly of: Json }): ReactNode {
  // The library types each block, the wire does not; it draws nothing for what it does not know.
  const block = of as unknown as Block
  return (
    <div className="block library">
      <Message blocks={[block]} logo="" name="" theme="light" withoutWrapper />
    </div>
  )
}
