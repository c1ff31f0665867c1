/**
 * Sends unsigned requests as an attacker would, at an even rate, over connections that it keeps open as long as it is let, and prints
 * as JSON what came of it. A process of its own, and as cheap as it can be: raw sockets, one prebuilt request, answers only counted.
 * FLOOD in the environment: `{ port, rate, seconds, connections }`.
 */
import { connect, type Socket } from 'node:net'

const { port, rate, seconds, connections } = JSON.parse(process.env['FLOOD'] ?? '') as {
  readonly port: number
  readonly rate: number
  readonly seconds: number
  readonly connections: number
}

const BODY = 'token=x&team_id=T0HARBOR&user_id=U0ALICE&channel_id=C0DEPLOYS&command=%2Fmigrate&text=deploy+prod'
const REQUEST = Buffer.from(
  `POST /slack/events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
)
const STATUS_LINE = Buffer.from('HTTP/1.1 401')

const counts = { sent: 0, answered: 0, opened: 0, broken: 0 }
/** Answered requests of each whole second. */
const bySecond: number[] = []

type Line = { socket: Socket | undefined; open: number }
const lines: Line[] = Array.from({ length: connections }, () => ({ socket: undefined, open: 0 }))

function openLine(line: Line): Socket {
  counts.opened++
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  line.socket = socket
  line.open = 0
  socket.on('data', (chunk: Buffer) => {
    let found = 0
    for (let at = chunk.indexOf(STATUS_LINE); at >= 0; at = chunk.indexOf(STATUS_LINE, at + STATUS_LINE.length)) found++
    counts.answered += found
    line.open -= found
  })
  socket.on('error', () => counts.broken++)
  socket.on('close', () => {
    if (line.socket === socket) line.socket = undefined
  })
  return socket
}

const TICK_MS = 10
/** Unanswered ones of a connection; more would only lie in buffers. */
const MOST_OPEN = 64

const began = performance.now()
let turn = 0
const timer = setInterval(() => {
  const elapsed = performance.now() - began
  const second = Math.floor(elapsed / 1000)
  while (bySecond.length < second) bySecond.push(counts.answered - bySecond.reduce((sum, count) => sum + count, 0))
  if (elapsed >= seconds * 1000) return finish(elapsed)
  // what the server could not take is not sent later on top: the rate is what is meant, not the sum
  let due = Math.min(Math.round((rate * elapsed) / 1000) - counts.sent, Math.ceil((rate * TICK_MS * 5) / 1000))
  for (let tried = 0; tried < lines.length && due > 0; tried++) {
    const line = lines[turn++ % lines.length]
    if (line === undefined) continue
    const socket = line.socket ?? openLine(line)
    const count = Math.min(due, MOST_OPEN - line.open, Math.ceil((rate * TICK_MS * 2) / 1000 / lines.length))
    if (count <= 0) continue
    socket.write(count === 1 ? REQUEST : Buffer.concat(Array.from({ length: count }, () => REQUEST)))
    line.open += count
    counts.sent += count
    due -= count
  }
}, TICK_MS)

function finish(elapsed: number): void {
  clearInterval(timer)
  for (const { socket } of lines) socket?.destroy()
  console.log(JSON.stringify({ ...counts, seconds: elapsed / 1000, bySecond }))
}
