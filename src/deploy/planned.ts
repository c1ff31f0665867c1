import type { StepSettings, TargetSettings } from '../config/schema.ts'
import type { PlannedStep } from '../plan/plan.ts'

/** What a request approves beside the migrations: every command and probe with its settings, as they stand in the configuration. */
export function plannedSteps(target: Pick<TargetSettings, 'prepare' | 'deploy' | 'health'>): PlannedStep[] {
  return [
    ...target.prepare.map((settings) => ({ phase: 'prepare' as const, name: stepTitle(settings), settings })),
    ...target.deploy.map((settings) => ({ phase: 'deploy' as const, name: stepTitle(settings), settings })),
    ...target.health.map((settings) => ({ phase: 'health' as const, name: settings.http, settings })),
  ]
}

/** The configured name, or the beginning of the command. */
export const stepTitle = (settings: Pick<StepSettings, 'name' | 'run'>): string => settings.name ?? settings.run.join(' ').slice(0, 60)
