import type { ReactNode } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, test } from 'vitest'
import { Blocks } from '../../../playground/page/blocks/blocks.tsx'
import type { Json } from '../../../playground/page/json.ts'
import { SurfaceContext } from '../../../playground/page/surface.ts'
import { ViewerContext } from '../../../playground/page/viewer.ts'
import { workspace } from './workspace.ts'

const state = workspace()
const draw = (blocks: readonly Json[], as: 'U0ALICE' | 'U0BOB' = 'U0ALICE', errors: Readonly<Record<string, string>> = {}): string => {
  const person = state.people.find(({ id }) => id === as)
  if (person === undefined) throw new Error(`${as} is not in the workspace.`)
  const nothing = (): void => undefined
  const viewer = {
    state,
    person,
    now: Date.parse('2026-11-20T12:00:00Z'),
    origin: 'http://127.0.0.1:4000',
    openChannel: nothing,
    openMessage: nothing,
    openThread: nothing,
    tell: nothing,
  }
  const surface = { act: () => Promise.resolve(), entries: new Map(), enter: nothing, errors, isModal: false }
  const page: ReactNode = (
    <ViewerContext value={viewer}>
      <SurfaceContext value={surface}>
        <Blocks of={blocks} />
      </SurfaceContext>
    </ViewerContext>
  )
  return renderToStaticMarkup(page)
}
const visible = (markup: string): string => markup.replaceAll(/<[^>]+>/g, '')
const rich = (text: string): Json => ({
  type: 'rich_text',
  elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text }] }],
})

describe('blocks', () => {
  test('a plan says each state in words and shows details and output', () => {
    const drawn = draw([
      {
        type: 'plan',
        title: 'Running',
        tasks: [
          { type: 'task_card', task_id: '1', status: 'complete', title: 'Back up', output: rich('1.6 GB') },
          { type: 'task_card', task_id: '2', status: 'in_progress', title: 'Migrate', details: rich('1 of 2') },
          { type: 'task_card', task_id: '3', status: 'error', title: 'Verify' },
          { type: 'task_card', task_id: '4', status: 'pending', title: 'Health' },
        ],
      },
    ])
    expect(visible(drawn)).toBe('RunningComplete: Back up1.6 GBIn progress: Migrate1 of 2Failed: VerifyPending: Health')
  })
  test('a table has a heading row and aligned numbers', () => {
    const cell = (text: string): Json => ({ type: 'raw_text', text })
    const rows = [
      [cell('Way'), cell('Lost')],
      [cell('add_x'), cell('312')],
    ]
    const drawn = draw([{ type: 'table', column_settings: [{ is_wrapped: true }, { align: 'right' }], rows }])
    expect(drawn).toContain('<th scope="col" class="align-right unwrapped">Lost</th>')
    expect(drawn).toContain('<td class="align-left">add_<wbr/>x</td>')
  })
  test('each reader sees mentions by name and times in his own zone', () => {
    const section = { type: 'section', text: { type: 'mrkdwn', text: '<@U0BOB> of <!subteam^S0DBA> at <!date^1795165200^{time}|x>' } }
    expect(visible(draw([section], 'U0ALICE'))).toBe('@bob of @dba at 10:00 AM')
    expect(visible(draw([section], 'U0BOB'))).toBe('@bob of @dba at 4:00 AM')
    expect(draw([section], 'U0BOB')).toContain('<span class="mention mention-self">@dba</span>')
  })
  test('a permalink stays in the pane, another link opens beside it', () => {
    const link = (url: string): string => draw([{ type: 'section', text: { type: 'mrkdwn', text: `<${url}|the card>` } }])
    const own = 'http://127.0.0.1:4000/archives/C0DEPLOYS/p1795165200000100'
    expect(link(own)).toContain(`<a href="${own}">the card</a>`)
    expect(link('https://x.example/')).toContain('<a href="https://x.example/" target="_blank" rel="noreferrer">the card</a>')
  })
  test('a button is a button, with its style and its action', () => {
    const element = { type: 'button', action_id: 'approve', style: 'primary', text: { type: 'plain_text', text: 'Approve' } }
    expect(draw([{ type: 'actions', elements: [element] }])).toContain(
      '<button type="button" class="button primary" aria-busy="false" data-action="approve">Approve</button>',
    )
  })
  test('an input is labelled and its error stands beside it', () => {
    const block = {
      type: 'input',
      block_id: 'reason',
      label: { type: 'plain_text', text: 'Why' },
      element: { type: 'plain_text_input', action_id: 'a', multiline: true },
    }
    const drawn = draw([block], 'U0ALICE', { reason: 'Say why.' })
    const id = /<label for="([^"]+)"/.exec(drawn)?.[1]
    expect(drawn).toContain(`<textarea data-action="a" id="${id}"`)
    expect(drawn).toContain(`<p class="input-error" id="${id}-error" role="alert">Say why.</p>`)
  })
  test('what cannot be drawn is said, and never shown as JSON', () => {
    const drawn = draw([
      { type: 'hologram', secret: 'x' },
      { type: 'actions', elements: [{ type: 'dial', action_id: 'd' }] },
    ])
    expect(visible(drawn)).toBe('The playground cannot draw the block “hologram”.The playground cannot draw the element “dial”.')
  })
  test('a broken block takes nothing else down', () => {
    const broken: Json[] = [
      { type: 'section', text: 'not an object', fields: 7 },
      { type: 'plan', tasks: [null, 3] },
      { type: 'table', rows: [null, [1]] },
      { type: 'header', text: { type: 'plain_text', text: 'Still here' } },
    ]
    expect(visible(draw(broken))).toBe('Still here')
  })
})
