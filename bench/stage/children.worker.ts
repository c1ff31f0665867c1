import { readFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import type { Life } from './children.ts'

/** Looks each millisecond which children a process has, on a thread of its own, so that nothing else holds it up. Linux only. */
const { pid } = workerData as { readonly pid: number }
const lives = new Map<string, { pid: number; name: string; from: number; to: number }>()
const sleeper = new Int32Array(new SharedArrayBuffer(4))
let isWatching = true

parentPort?.once('message', () => (isWatching = false))

function look(): void {
  const at = performance.timeOrigin + performance.now()
  for (const child of childrenOf(pid)) {
    const known = lives.get(child)
    if (known === undefined) lives.set(child, { pid: Number(child), name: nameOf(child), from: at, to: at })
    else known.to = at
  }
}

function childrenOf(parent: number): readonly string[] {
  try {
    return readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').split(' ').filter(Boolean)
  } catch {
    return [] // it has ended
  }
}

/** Right after the start it is still called as its parent or as setpriv, so it is read anew at the end where it can be. */
function nameOf(child: string): string {
  try {
    return readFileSync(`/proc/${child}/cmdline`, 'utf8').split('\0').slice(0, 3).join(' ')
  } catch {
    return ''
  }
}

function round(): void {
  // the message that ends it is only seen between two turns of the event loop
  for (let turn = 0; turn < 20; turn++) {
    look()
    Atomics.wait(sleeper, 0, 0, 1)
  }
  if (isWatching) setImmediate(round)
  else parentPort?.postMessage([...lives.values()] satisfies Life[])
}
round()
