import { type ReactNode, useEffect } from 'react'
import { act } from './api.ts'
import { Blocks } from './blocks/blocks.tsx'
import { Interactive } from './interactive.tsx'
import { objectsAt } from './json.ts'
import { botName, useViewer } from './viewer.ts'

/** The app's Home of the pane's person. Opening it tells the bot, which draws it then. */
export function Home(): ReactNode {
  const { state, person, tell } = useViewer()
  useEffect(() => {
    void act('home', { person: person.id }).then((answer) => {
      if (!answer.ok) tell(answer.error)
    })
    // Another person is another opening; a bot that has only now connected has not heard of the last one.
  }, [person.id, state.bot.connected])
  const home = state.homes.find((view) => view.person === person.id)
  const blocks = home === undefined ? [] : objectsAt(home.view, 'blocks')
  return (
    <div className="messages" data-testid="home">
      <div className="home">
        {home === undefined || blocks.length === 0 ? (
          <p className="quiet">{botName(state)} has not drawn this Home yet.</p>
        ) : (
          <Interactive key={home.viewId} container={{ viewId: home.viewId }} blocks={blocks}>
            <Blocks of={blocks} />
          </Interactive>
        )}
      </div>
    </div>
  )
}
