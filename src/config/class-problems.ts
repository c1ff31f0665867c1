import { classesSchema, planClasses } from './keys/classes.ts'
import type { ConfigProblem } from './problem.ts'

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
