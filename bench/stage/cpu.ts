import { readdirSync, readFileSync } from 'node:fs'

/** Milliseconds of processor time, by program: `node 1 230, postgres 800`. Linux only. */
export function watchCpu(): { readonly stop: () => string } {
  const before = readAll()
  return {
    stop() {
      const used = new Map<string, number>()
      for (const [pid, { name, ms }] of readAll()) used.set(name, (used.get(name) ?? 0) + ms - (before.get(pid)?.ms ?? 0))
      return [...used]
        .filter(([, ms]) => ms >= 50)
        .toSorted(([, a], [, b]) => b - a)
        .map(([name, ms]) => `${name} ${ms} ms`)
        .join(', ')
    },
  }
}

type Used = { readonly name: string; readonly ms: number }

function readAll(): ReadonlyMap<number, Used> {
  const all = new Map<number, Used>()
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry)
    const used = Number.isInteger(pid) ? readOne(pid) : undefined
    if (used !== undefined) all.set(pid, used)
  }
  return all
}

/** A process that ends meanwhile is left out. */
function readOne(pid: number): Used | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const end = text.lastIndexOf(')')
    const fields = text.slice(end + 2).split(' ')
    const name = pid === process.pid ? 'the bench with its Slack' : text.slice(text.indexOf('(') + 1, end)
    return { name, ms: (Number(fields[11]) + Number(fields[12])) * TICK_MS }
  } catch {
    return undefined
  }
}

/** Linux counts in hundredths of a second for programs, whatever its own clock does. */
const TICK_MS = 10
