import { closest } from 'fastest-levenshtein'
import { classesSchema, planClasses } from './keys/classes.ts'
import type { ConfigProblem } from './problem.ts'

/** A target that has to come first: it is there, it is another one, and it does not wait for this one. */
export function problemsOfAfter(targets: Readonly<Record<string, unknown>>): readonly ConfigProblem[] {
  const afterOf = (name: string): string | undefined => {
    const written = targets[name]
    const after: unknown = typeof written === 'object' && written !== null && 'after' in written ? written.after : undefined
    return typeof after === 'string' ? after : undefined
  }
  return Object.entries(targets).flatMap(([name, written]) => {
    const after = afterOf(name)
    const path = `targets.${name}`
    if (after === undefined)
      return typeof written === 'object' && written !== null && 'soak' in written
        ? [{ path: `${path}.soak`, problem: 'says how long, and `after` does not say where', fix: 'Add `after`, or remove this key.' }]
        : []
    if (!Object.hasOwn(targets, after)) {
      const near = closest(after, Object.keys(targets))
      return [{ path: `${path}.after`, problem: `there is no target "${after}"`, fix: `Name another target, such as ${near}.` }]
    }
    const passed = [name]
    for (let next: string | undefined = after; next !== undefined; next = afterOf(next)) {
      if (next === name)
        return [
          {
            path: `${path}.after`,
            problem: `${[...passed, name].join(' waits for ')}, so nothing could ever run`,
            fix: 'Remove one `after`.',
          },
        ]
      if (passed.includes(next)) break
      passed.push(next)
    }
    return []
  })
}

type Usual = { readonly required: number; readonly from: readonly string[]; readonly isProtected: boolean }

/** What the schema cannot judge about the rules by class. */
export function problemsOfClasses(
  target: string,
  written: unknown,
  usual: Usual,
  tooFewNamed: (path: string, required: number, from: readonly string[]) => readonly ConfigProblem[],
): readonly ConfigProblem[] {
  const parts: { readonly classes?: unknown; readonly maintenance?: unknown } =
    typeof written === 'object' && written !== null ? written : {}
  const { data: classes } = classesSchema.safeParse(parts.classes)
  if (classes === undefined) return []
  return planClasses.flatMap((of) => {
    const { approvals, maintenance } = classes[of] ?? {}
    const path = `targets.${target}.classes.${of}`
    const required = approvals?.required ?? usual.required
    return [
      ...(approvals?.required === 0 && usual.isProtected
        ? [
            {
              path: `${path}.approvals.required`,
              problem: 'a protected target needs at least one approval',
              fix: 'Write 1 or more, or `protected: false` where runs may start by themselves.',
            },
          ]
        : []),
      ...(approvals === undefined ? [] : tooFewNamed(`${path}.approvals`, required, approvals.from ?? usual.from)),
      ...(maintenance === 'on' && parts.maintenance === undefined
        ? [
            {
              path: `${path}.maintenance`,
              problem: 'is on, and the target does not say how maintenance mode is switched on',
              fix: 'Add `maintenance` to the target, or leave this key out.',
            },
          ]
        : []),
    ]
  })
}
