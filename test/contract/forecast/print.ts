import { compareAll, differing, figures } from './figures.ts'

const all = await compareAll()
console.log(figures(all))
for (const kind of ['weaker', 'unknown', 'stronger'] as const)
  for (const [line, majors] of differing(all, kind)) console.log(`\n${kind} on ${majors}:\n  ${line.replaceAll('\n', '\n  ')}`)
