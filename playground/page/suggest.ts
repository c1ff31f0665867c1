import type { PlayState } from '../protocol.ts'

/** Commands that the typed beginning may become; none once a word follows the command. */
export function suggestCommands(commands: PlayState['commands'], draft: string): PlayState['commands'] {
  if (!/^\/\S*$/.test(draft)) return []
  return commands.filter(({ command }) => command.startsWith(draft.toLowerCase()))
}
