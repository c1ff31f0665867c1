import type { BackupStore } from '../../backup/catalogue.ts'
import type { Reading } from '../../lib/clock-skew.ts'
import type { Config, Target } from '../../config/config.ts'
import type { Ahead } from '../../migrate/ahead.ts'
import { maintenanceModeOf } from '../../deploy/planned.ts'
import { probeOnce } from '../../watching/probe.ts'
import type { Plan } from '../../plan/plan.ts'
import { isAppFirst } from '../../plan/rules/by-class.ts'
import type { Ask } from '../../request/request.ts'
import type { Step } from '../../request/step.ts'
import { assertSteps } from '../assertions/step.ts'
import { backupStep } from './backup.ts'
import { installStep } from './checkout.ts'
import { deploySteps } from './deploy.ts'
import { HEALTH_AGAIN, healthStep } from './health.ts'
import { maintenanceModeSteps } from './maintenance.ts'
import { migrateStep } from './migrate.ts'
import { preflightStep } from './preflight.ts'
import { prepareSteps } from './prepare.ts'
import { verifyBackupStep } from './verify-backup.ts'
import { verifySchemaStep, type VerifyPorts } from './verify-schema.ts'

export type StepPorts = {
  readonly config: Pick<Config, 'home' | 'varDirectory'>
  readonly backups: BackupStore
  readonly clocks: () => Promise<readonly Reading[]>
  /** The commit of the target's last successful deploy. */
  readonly lastCommit: (target: string) => Promise<string | null>
  readonly ahead: Ahead
} & VerifyPorts

/**
 * The steps of a run, in order. Nothing pending leaves the database alone, so there is nothing to back up, unless a configured step is
 * given its URL.
 */
export function stepsOf(ports: StepPorts, target: Target, plan: Plan, ask: Pick<Ask, 'skipApp'>): readonly Step[] {
  const prepare = prepareSteps(target, ports.config)
  const deploy = ask.skipApp ? [] : deploySteps(target, ports.config)
  const mode = maintenanceModeOf(plan)
  const maintenance = maintenanceModeSteps(plan, ports.config)
  const assert = assertSteps(plan)
  const migrates = plan.list.length > 0
  const commands = [...target.prepare, ...(ask.skipApp ? [] : target.deploy), ...(mode === null ? [] : [...mode.on, ...mode.off])]
  const touchesDatabase = migrates || commands.some((step) => step.database)
  const needsCheckout = migrates || prepare.length > 0 || deploy.length > 0
  const database = [migrateStep({}, ports.ahead), ...(migrates ? [verifySchemaStep(ports)] : []), ...assert.after]
  const application = [...deploy, ...(target.health.length > 0 ? [healthStep(ports.config)] : [])]
  // what is live has to bear the schema that the migrations leave
  const again = migrates && target.health.length > 0 ? [healthStep(ports.config, HEALTH_AGAIN)] : []
  return [
    preflightStep({ store: ports.backups, directories: ports.config, probe: probeOnce, clocks: ports.clocks, backsUp: touchesDatabase }),
    ...(needsCheckout ? [installStep({ ...ports.config, lastCommit: ports.lastCommit })] : []),
    ...prepare,
    ...(touchesDatabase ? [backupStep({ store: ports.backups }), verifyBackupStep({ store: ports.backups, ahead: ports.ahead })] : []),
    ...maintenance.on,
    // whatever comes first: a failed assertion before has touched neither the database nor the application
    ...assert.before,
    ...(isAppFirst(plan) ? [...application, ...database, ...again] : [...database, ...application]),
    ...maintenance.off,
  ]
}
