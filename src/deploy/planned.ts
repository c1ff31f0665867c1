import type { CommandSettings, ProbeSettings, StepSettings, TargetSettings } from '../config/schema.ts'
import type { Plan, PlannedStep } from '../plan/plan.ts'

/** What a request approves beside the migrations: every command, probe and assertion with its settings, as they stand in the configuration. */
export function plannedSteps({
  prepare,
  maintenance,
  deploy,
  health,
  assert,
}: Pick<TargetSettings, 'prepare' | 'deploy' | 'health' | 'maintenance' | 'assert'>): PlannedStep[] {
  const commands = (phase: PlannedStep['phase'], list: readonly CommandSettings[] = []) =>
    list.map((settings) => ({ phase, name: stepTitle(settings), settings }))
  const probes = (phase: PlannedStep['phase'], list: readonly ProbeSettings[]) =>
    list.map((settings) => ({ phase, name: settings.http, settings }))
  return [
    ...commands('prepare', prepare),
    ...commands('maintenance-on', maintenance?.on),
    ...commands('deploy', deploy),
    ...probes('health', health),
    ...commands('maintenance-off', maintenance?.off),
    ...probes('maintenance-probe', maintenance?.probe === undefined ? [] : [maintenance.probe]),
    ...(assert ?? []).map((settings) => ({ phase: 'assert' as const, name: settings.name, settings })),
  ]
}

/** `--skip-app` takes the deploy steps out of what is approved, so that the digest says so. */
export const withoutApp = <T extends Pick<TargetSettings, 'deploy'>>(target: T, { skipApp }: { readonly skipApp: boolean }): T =>
  skipApp ? { ...target, deploy: [] } : target

/** The configured name, or the beginning of the command. */
export const stepTitle = (settings: Pick<StepSettings, 'name' | 'run'>): string => settings.name ?? settings.run.join(' ').slice(0, 60)

export type MaintenanceMode = {
  readonly on: readonly CommandSettings[]
  readonly off: readonly CommandSettings[]
  readonly probe: ProbeSettings | null
}

/**
 * Maintenance mode around this run, as it was approved and not as it is configured now: what has been switched on must be switched off
 * whatever somebody wrote into the file meanwhile. Null when there is none, or nothing that it would be needed for.
 */
export function maintenanceModeOf({ list, steps }: Pick<Plan, 'list' | 'steps'>): MaintenanceMode | null {
  const settings = <T>(phase: PlannedStep['phase']) => steps.filter((step) => step.phase === phase).map((step) => step.settings as T) // written by `plannedSteps`
  const on = settings<CommandSettings>('maintenance-on')
  if (on.length === 0 || (list.length === 0 && settings('deploy').length === 0)) return null
  return { on, off: settings('maintenance-off'), probe: settings<ProbeSettings>('maintenance-probe')[0] ?? null }
}
