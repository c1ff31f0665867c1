type Environment = Readonly<Record<string, string | undefined>>

/** What is wrong with the tokens in the environment, one sentence each. A command line that only asks needs the bot token alone. */
export function environmentProblems(
  env: Environment,
  needs: { readonly mode: 'socket' | 'http'; readonly onlyAsks: boolean },
): readonly string[] {
  const second = needs.mode === 'socket' ? 'SLACK_APP_TOKEN' : 'SLACK_SIGNING_SECRET'
  const names = needs.onlyAsks ? ['SLACK_BOT_TOKEN'] : ['SLACK_BOT_TOKEN', second]
  return [...names.flatMap((name) => tokenProblem(name, env[name] ?? '')), ...addressProblem(env.SLACK_API_URL ?? '')]
}

function tokenProblem(name: string, value: string): readonly string[] {
  if (value === '') return [`${name} is not set. README, "Ten minutes to a real workspace", says where it comes from.`]
  if (name === 'SLACK_SIGNING_SECRET' && !/^\S{16,}$/.test(value))
    return [
      'SLACK_SIGNING_SECRET is too short, or has spaces in it, so it could be guessed. Copy the whole of it from Basic Information, App Credentials.',
    ]
  const wanted = beginnings[name]
  const found = Object.values(beginnings).find((beginning) => value.startsWith(beginning))
  if (wanted === undefined || found === wanted || found === undefined) return []
  return [`${name} begins with ${found}, but it has to begin with ${wanted}: the tokens were swapped.`]
}

const beginnings: Readonly<Record<string, string>> = { SLACK_BOT_TOKEN: 'xoxb-', SLACK_APP_TOKEN: 'xapp-' }

function addressProblem(address: string): readonly string[] {
  if (address === '' || (URL.canParse(address) && /^https?:$/.test(new URL(address).protocol))) return []
  return ['SLACK_API_URL is not an address that begins with https://. Leave it out to use Slack itself.']
}
