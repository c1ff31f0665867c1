import type { ReactNode } from 'react'
import type { PlayState } from '../protocol.ts'

export function Avatar({
  state,
  user,
  size = 36,
}: {
  readonly state: PlayState
  readonly user: string
  readonly size?: number
}): ReactNode {
  if (user === state.bot.user) return <BotAvatar size={size} />
  const person = state.people.find((candidate) => candidate.id === user)
  return (
    <span
      className="avatar"
      aria-hidden="true"
      style={{ width: size, height: size, fontSize: size * 0.42, background: person?.color ?? '#7a7a7a' }}
    >
      {initials(person?.realName ?? person?.name ?? '?')}
    </span>
  )
}

/** A lock's gates. */
function BotAvatar({ size }: { readonly size: number }): ReactNode {
  return (
    <svg className="avatar" aria-hidden="true" width={size} height={size} viewBox="0 0 36 36">
      <rect width="36" height="36" fill="#1d3a54" />
      <path
        d="M10 11h16M11.5 11v15M24.5 11v15M18 15v11M11.5 15h13M9 26h18"
        stroke="#fff"
        strokeWidth="2.2"
        strokeLinecap="round"
        fill="none"
      />
    </svg>
  )
}

function initials(name: string): string {
  const [first = '?', ...rest] = name.split(/\s+/).filter((part) => part !== '')
  return `${first.charAt(0)}${rest.at(-1)?.charAt(0) ?? ''}`.toUpperCase()
}
