import { AsyncLocalStorage } from 'node:async_hooks'
import { isRefusal, type RefusalCode } from './refusal.ts'

/**
 * What the house tells about itself, and to whom: nobody here knows Prometheus or OpenTelemetry. The same surroundings that a span
 * needs stand in every log line, so they are carried along by the runtime instead of by hand.
 */

/** What takes time. `request` is the request's number, which a run shares. */
export type Activity =
  | { readonly kind: 'phase'; readonly phase: 'plan' | 'check'; readonly request: number; readonly target: string }
  | {
      readonly kind: 'step'
      readonly step: string
      readonly attempt: number
      readonly request: number
      readonly target: string
    }
  | { readonly kind: 'slack'; readonly method: string }
  /** Only the program's name: arguments may hold anything. */
  | { readonly kind: 'child'; readonly program: string }

/** What simply happened. Durations are milliseconds. */
export type Fact =
  | {
      readonly kind: 'run started'
      readonly request: number
      readonly target: string
      /** When people could first decide about this plan, and when the last vote came. */
      readonly askedAt: Date
      readonly grantedAt: Date
    }
  /** Its workflow has ended; `startedAt` is null when it never ran. */
  | {
      readonly kind: 'request ended'
      readonly request: number
      readonly target: string
      readonly state: string
      readonly createdAt: Date
      readonly startedAt: Date | null
      readonly endedAt: Date
    }
  | { readonly kind: 'adopted'; readonly runs: number }
  | { readonly kind: 'refused'; readonly code: RefusalCode }
  | { readonly kind: 'limited'; readonly method: string; readonly retryAfterMs: number }
  /** From the moment when a delivery of Slack's was here whole until its acknowledgement was sent. */
  | { readonly kind: 'acknowledged'; readonly type: string; readonly durationMs: number }
  /** One that is left to itself, so that nobody here sees its end. */
  | { readonly kind: 'child left'; readonly program: string }

/** An activity under way, inside the one that it belongs to. */
export type Doing = { readonly activity: Activity; readonly within: Doing | undefined; readonly fields: Fields }

export type Observer = {
  /** Called at the beginning; what it gives is called once at the end, with how it ended. */
  readonly begun?: (doing: Doing) => (result: string) => void
  readonly happened?: (fact: Fact, fields: Fields) => void
}

/** What stands in log lines: `request`, `target`, `run`, `step`, `delivery`. */
export type Fields = Readonly<Record<string, string | number>>

type Surroundings = { readonly fields: Fields; readonly doing: Doing | undefined }

const surroundings = new AsyncLocalStorage<Surroundings>()
const observers = new Set<{ readonly observer: Observer; readonly onFault: (error: Error) => void }>()

/** Does `work` and tells the observers of it. `resultOf` names how it ended; what throws ended as `fault`. */
export async function during<T>(activity: Activity, work: () => Promise<T>, resultOf: (value: T) => string): Promise<T> {
  const { fields, doing: within } = surroundings.getStore() ?? nowhere
  const own = { ...fields, ...fieldsOf(activity) }
  const doing: Doing = { activity, within, fields: own }
  const ends = each((observer) => observer.begun?.(doing))
  const end = (result: string) => ends.forEach(({ value, onFault }) => safely(() => value?.(result), onFault))
  try {
    const value = await surroundings.run({ fields: own, doing }, work)
    end(resultOf(value))
    return value
  } catch (error) {
    end('fault')
    throw error
  }
}

/** Whatever `work` logs carries these fields. */
export function withFields<T>(fields: Fields, work: () => T): T {
  const outer = surroundings.getStore() ?? nowhere
  return surroundings.run({ ...outer, fields: { ...outer.fields, ...fields } }, work)
}

export const currentFields = (): Fields => (surroundings.getStore() ?? nowhere).fields

export function emit(fact: Fact): void {
  each((observer) => observer.happened?.(fact, currentFields()))
}

/** Passes an answer on, and counts it when it is a refusal. */
export function noted<T>(answer: T): T {
  if (isRefusal(answer)) emit({ kind: 'refused', code: answer.code })
  return answer
}

/** An observer's fault is told to `onFault` and never reaches what it observes. Gives a function that ends the observing. */
export function observe(observer: Observer, onFault: (error: Error) => void): () => void {
  const entry = { observer, onFault }
  observers.add(entry)
  return () => void observers.delete(entry)
}

const nowhere: Surroundings = { fields: {}, doing: undefined }

function fieldsOf(activity: Activity): Fields {
  switch (activity.kind) {
    case 'phase':
      return { request: activity.request, target: activity.target }
    case 'step':
      return { request: activity.request, target: activity.target, run: activity.request, step: activity.step }
    case 'slack':
    case 'child':
      return {}
  }
}

function each<T>(act: (observer: Observer) => T) {
  return [...observers].map(({ observer, onFault }) => ({ value: safely(() => act(observer), onFault), onFault }))
}

function safely<T>(act: () => T, onFault: (error: Error) => void): T | undefined {
  try {
    return act()
  } catch (error) {
    onFault(error as Error)
    return undefined
  }
}
