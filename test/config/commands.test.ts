import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { drawRequest } from '../../approvals/cards/draw.ts'
import { homeView } from '../../approvals/home/home.ts'
import { slackCommands } from '../../src/config/commands.ts'
import { configSchema } from '../../src/config/schema.ts'
import { weekMessage } from '../../src/windows/render/week.ts'
import { doneView, now, runningView, waitingView } from '../helpers/views.ts'

const root = join(import.meta.dirname, '../..')

/** Where the names are given, and examples of the file in which they are. */
const named = new Set(['src/config/commands.ts', 'src/config/schema.ts', 'src/config/examples.ts'])

test('no sentence names a slash command by itself: how it is called is a setting', () => {
  const files = execFileSync('git', ['ls-files', 'src', 'approvals', 'commands'], { cwd: root, encoding: 'utf8' }).split('\n')
  const found = files
    .filter((file) => file.endsWith('.ts') && !named.has(file))
    .flatMap((file) =>
      readFileSync(join(root, file), 'utf8')
        .split('\n')
        .flatMap((line, index) => (namesCommand(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
    )
  expect(found).toEqual([])
})

/** Not the paths of folders that are called alike, and not comments. */
const namesCommand = (line: string): boolean =>
  !/^\s*(\*|\/\*|\/\/)/.test(line) &&
  /(^|[^\w./-])\/(migrate|maintenance)(?![\w/.-])/.test(line.replace(/\s\/\/ .*$/, '').replace(/\/\*\*.*\*\//, ''))

test('with another name every card, thread, notice, Home and week names that one', () => {
  const file = configSchema.parse({
    slack: { command: '/db' },
    targets: {
      prod: {
        channel: 'C0123456789',
        source: { repository: '.' },
        database: { url: 'env:X' },
        tool: 'prisma',
        backup: { directory: 'b' },
        approvals: { from: ['user:U0000000001'] },
      },
    },
  })
  const commands = slackCommands(file)
  expect(commands).toEqual({ migrate: '/db', maintenance: '/maintenance' })
  const drawn = [waitingView(), runningView(), doneView()].map((view) =>
    drawRequest({ ...view, commands }, { timezone: 'UTC', isProtected: true, approvers: ['U0CAROL'] }),
  )
  const instead = drawn.flat().flatMap(({ content }) => (content.kind === 'file' ? [content.instead('select 1;\n'.repeat(2_000))] : []))
  const calendar = { commands, now: +now, zone: 'UTC', windows: [], freezes: [] }
  const home = homeView({ reviews: [], waiting: [], underWay: [], last: [], calendar, notice: null })
  const week = weekMessage({ from: +now, to: +now + 1, zone: 'UTC', windows: [], freezes: [] }, commands.maintenance)
  const text = JSON.stringify([drawn, instead, home, week])
  expect(text).toContain('`/db show 42`')
  expect(text).toContain('`/db deploy')
  expect(text).toContain('`/db plan prod`')
  expect(text).not.toContain('/migrate')
})
