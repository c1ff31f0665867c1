import { readFileSync } from 'node:fs'

/** What of a process lies in memory now, in megabytes. Linux only. */
export function rssMb(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  if (kilobytes === undefined) throw new Error(`process ${pid} has no memory of its own`)
  return (Number(kilobytes) * 1024) / 1e6
}

/** The most that it took until `stop`, looked at 50 times a second. */
export function watchPeak(pid: number): { readonly stop: () => number } {
  let peak = rssMb(pid)
  const timer = setInterval(() => (peak = Math.max(peak, rssMb(pid))), 20)
  return {
    stop() {
      clearInterval(timer)
      return Math.max(peak, rssMb(pid))
    },
  }
}
