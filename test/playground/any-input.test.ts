import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startWorkspace, type Workspace } from '../../playground/server/workspace.ts'

let workspace: Workspace
beforeAll(async () => {
  workspace = await startWorkspace({ rateLimits: false })
})
afterAll(() => workspace.close())

const methods = [
  'chat.postMessage',
  'chat.update',
  'chat.postEphemeral',
  'views.open',
  'views.publish',
  'conversations.history',
  'files.completeUploadExternal',
  'files.getUploadURLExternal',
]
const names = [
  'channel',
  'text',
  'blocks',
  'view',
  'ts',
  'user',
  'user_id',
  'metadata',
  'trigger_id',
  'files',
  'limit',
  'cursor',
  'length',
  'attachments',
  'thread_ts',
]
const kinds = ['section', 'plan', 'table', 'actions', 'input', 'rich_text', 'modal', 'home', 'plain_text', 'mrkdwn', 'button', 'task_card']
const fields = [
  'type',
  'text',
  'elements',
  'rows',
  'tasks',
  'blocks',
  'element',
  'fields',
  'options',
  'title',
  'block_id',
  'action_id',
  'details',
  'accessory',
]

/** Values that look enough like Block Kit to get past the first check. */
const { node } = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom('C0DEPLOYS', 'U0ALICE', ...kinds),
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('node'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...fields), tie('node'), { maxKeys: 5 }),
    fc.record(
      { type: fc.constantFrom(...kinds), text: tie('node'), elements: fc.array(tie('node'), { maxLength: 3 }), blocks: tie('node') },
      { requiredKeys: ['type'] },
    ),
  ),
}))

test('whatever is sent, the answer is one of Slack: ok, or an error by name', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...methods), fc.dictionary(fc.constantFrom(...names), node), async (method, args) => {
      const response = await fetch(workspace.apiUrl + method, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${workspace.tokens.bot}` },
        body: JSON.stringify({ channel: 'C0DEPLOYS', ...args }),
      })
      const answer: unknown = await response.json()
      expect(response.status).toBe(200)
      expect(answer).toSatisfy(isAnswer)
    }),
    { numRuns: 150 },
  )
})

function isAnswer(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null || !('ok' in answer)) return false
  return answer.ok === true || ('error' in answer && typeof answer.error === 'string' && answer.error !== 'fatal_error')
}
