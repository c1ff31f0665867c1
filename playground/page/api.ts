import type { Answer, Click, Close, Command, Home, PlayState, Say, Submit } from '../protocol.ts'

type Bodies = {
  readonly command: Command
  readonly click: Click
  readonly submit: Submit
  readonly close: Close
  readonly home: Home
  readonly say: Say
}

const SILENT: Answer = { ok: false, error: 'The playground does not answer. Is its process still running in the terminal?' }

/** Does what one person does. Never throws: what went wrong is a sentence for that person. */
export async function act<K extends keyof Bodies>(kind: K, body: Bodies[K]): Promise<Answer> {
  try {
    const response = await fetch(`/play/${kind}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const answer = asAnswer(await response.text())
    return answer ?? { ok: false, error: `The playground answered ${response.status} without a reason.` }
  } catch {
    return SILENT
  }
}

export async function fetchState(): Promise<PlayState> {
  const response = await fetch('/play/state')
  if (!response.ok) throw new Error(`The playground answered ${response.status} to GET /play/state.`)
  // The cast is the page's boundary: server and page are built from one protocol.ts.
  return (await response.json()) as PlayState
}

export async function fetchFile(url: string): Promise<string> {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`The playground answered ${response.status}.`)
  return response.text()
}

function asAnswer(text: string): Answer | null {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed !== 'object' || parsed === null || !('ok' in parsed)) return null
    if (parsed.ok === true) return { ok: true }
    return { ok: false, error: 'error' in parsed && typeof parsed.error === 'string' ? parsed.error : 'It did not work.' }
  } catch {
    return null
  }
}
